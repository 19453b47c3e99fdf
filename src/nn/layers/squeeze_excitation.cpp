#include <fmt/format.h>

#include <algorithm>

#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// Scales each channel of a clip by e = sigmoid(W2 relu(W1 s + b1) + b2), s the channels' means
/// over bands and unpadded frames (Hu et al. 2018).
class SqueezeExcitation : public Cloneable<SqueezeExcitation, Layer> {
 public:
  int reduction = 4;

  std::string_view type() const override { return "squeeze_excitation"; }
  void visit(FieldVisitor& v) override {
    v.field("reduction", reduction, "Channels for each hidden unit");
  }

  Shape plan(Node& node) const override {
    if (reduction < 1)
      throw Error(fmt::format("'reduction': expected at least 1, found {}", reduction));
    const int channels = node.input.channels, hidden = std::max(1, channels / reduction);
    node.parameters = {{"squeeze_weight", hidden, channels, Init::kHe, true},
                       {"squeeze_bias", hidden, 1, Init::kZeros},
                       {"excite_weight", channels, hidden, Init::kGlorot, true},
                       {"excite_bias", channels, 1, Init::kZeros}};
    return node.input;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const auto w = [&](std::size_t i) { return pass.value(node.parameters[i]); };
    AlignedMap squeezed = take(pass, x.shape.channels, x.clips, tape.kept[0]);
    AlignedMap hidden = take(pass, w(0).rows(), x.clips, tape.kept[1]);
    AlignedMap scale = take(pass, x.shape.channels, x.clips, tape.kept[2]);
    for (Index n = 0; n < x.clips; ++n) squeezed.col(n) = valid(x, n).rowwise().mean();
    hidden.noalias() = w(0) * squeezed;
    hidden = (hidden.colwise() + w(1).col(0)).cwiseMax(Real{0});
    scale.noalias() = w(2) * hidden;
    scale = (1 + (-(scale.colwise() + w(3).col(0)).array()).exp()).inverse().matrix();
    const Tensor y = pass.arena->tensor_like(x);
    for (Index n = 0; n < x.clips; ++n)
      valid(y, n).array() = valid(x, n).array().colwise() * scale.col(n).array();
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Tensor& x = tape.input;
    const auto kept = [&](std::size_t i, Index rows) {
      return AlignedMap(static_cast<Real*>(tape.kept[i]), rows, x.clips);
    };
    const auto w = [&](std::size_t i) { return pass.value(node.parameters[i]); };
    const auto dw = [&](std::size_t i) { return pass.gradient(node.parameters[i]); };
    const AlignedMap squeezed = kept(0, x.shape.channels), hidden = kept(1, w(0).rows()),
                     scale = kept(2, x.shape.channels);
    void* unused = nullptr;
    AlignedMap dscale = take(pass, x.shape.channels, x.clips, unused);
    for (Index n = 0; n < x.clips; ++n)
      dscale.col(n) = valid(gradient, n).cwiseProduct(valid(x, n)).rowwise().sum();
    dscale.array() *= scale.array() * (1 - scale.array());
    dw(2).noalias() += dscale * hidden.transpose();
    dw(3) += dscale.rowwise().sum();
    AlignedMap dhidden = take(pass, hidden.rows(), x.clips, unused);
    dhidden.noalias() = w(2).transpose() * dscale;
    dhidden.array() *= (hidden.array() > Real{0}).template cast<Real>();
    dw(0).noalias() += dhidden * squeezed.transpose();
    dw(1) += dhidden.rowwise().sum();
    if (!tape.wants_input_gradient) return {};
    dscale.noalias() = w(0).transpose() * dhidden;  // now dL/dsqueezed
    for (Index n = 0; n < x.clips; ++n) {
      auto d = valid(gradient, n);
      dscale.col(n) /= static_cast<Real>(d.cols());
      d.array().colwise() *= scale.col(n).array();
      d.colwise() += dscale.col(n);
    }
    return gradient;
  }

 private:
  static AlignedMap take(const Pass& pass, Index rows, Index cols, void*& kept) {
    Real* const memory = pass.arena->take<Real>(rows * cols);
    kept = memory;
    return {memory, rows, cols};
  }
  /// [channels x bands * unpadded frames] of one clip.
  static MatrixMap valid(const Tensor& t, Index clip) {
    return {t.data + clip * t.frames * t.rows(), t.shape.channels, t.shape.bands * t.length(clip)};
  }
};

}  // namespace

std::unique_ptr<Layer> make_squeeze_excitation() { return std::make_unique<SqueezeExcitation>(); }

}  // namespace ser::nn
