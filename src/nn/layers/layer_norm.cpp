#include <fmt/format.h>

#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// y = scale (x - mean) / sqrt(variance + epsilon) + shift, over the rows of each frame
/// (Ba et al. 2016).
class LayerNorm : public Cloneable<LayerNorm, Layer> {
 public:
  double epsilon = 1e-5;

  std::string_view type() const override { return "layer_norm"; }
  void visit(FieldVisitor& v) override { v.field("epsilon", epsilon, "Added to the variance"); }

  Shape plan(Node& node) const override {
    if (!(epsilon > 0)) throw Error(fmt::format("'epsilon': expected > 0, found {}", epsilon));
    const Index rows = node.input.rows();
    node.parameters = {{"scale", rows, 1, Init::kOnes}, {"shift", rows, 1, Init::kZeros}};
    return node.input;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Tensor y = pass.arena->tensor_like(x), normalised = pass.arena->tensor_like(x);
    Real* const inverse = pass.arena->take<Real>(x.columns());
    tape.kept = {normalised.data, inverse};
    const auto scale = pass.value(node.parameters[0]).col(0).array();
    const auto shift = pass.value(node.parameters[1]).col(0).array();
    const auto in = x.matrix();
    auto hat = normalised.matrix(), out = y.matrix();
    for (Index i = 0; i < in.cols(); ++i) {
      hat.col(i).array() = in.col(i).array() - in.col(i).mean();
      const Real variance = hat.col(i).squaredNorm() / static_cast<Real>(x.rows());
      inverse[i] = 1 / std::sqrt(variance + static_cast<Real>(epsilon));
      hat.col(i) *= inverse[i];
      out.col(i).array() = hat.col(i).array() * scale + shift;
    }
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const ConstAlignedMap hat(static_cast<const Real*>(tape.kept[0]), gradient.rows(),
                              gradient.columns());
    const Real* const inverse = static_cast<const Real*>(tape.kept[1]);
    auto dy = gradient.matrix();
    pass.gradient(node.parameters[0]) += dy.cwiseProduct(hat).rowwise().sum();
    pass.gradient(node.parameters[1]) += dy.rowwise().sum();
    const auto scale = pass.value(node.parameters[0]).col(0).array();
    const Real rows = static_cast<Real>(gradient.rows());
    for (Index i = 0; i < dy.cols(); ++i) {
      // dL/dx = (dhat - mean(dhat) - hat mean(dhat hat)) / sigma
      dy.col(i).array() *= scale;
      const Real mean = dy.col(i).mean(), dot = dy.col(i).dot(hat.col(i)) / rows;
      dy.col(i).array() = inverse[i] * (dy.col(i).array() - mean - hat.col(i).array() * dot);
    }
    gradient.clear_padding();
    return gradient;
  }
};

}  // namespace

std::unique_ptr<Layer> make_layer_norm() { return std::make_unique<LayerNorm>(); }

}  // namespace ser::nn
