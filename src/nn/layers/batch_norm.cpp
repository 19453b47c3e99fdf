#include <fmt/format.h>

#include "nn/layers/makers.h"
#include "ser/core/error.h"
#include "ser/nn/activation.h"

namespace ser::nn {
namespace {

using ColumnArray = Eigen::Array<Real, Eigen::Dynamic, 1>;
using DoubleArray = Eigen::ArrayXd;

/// y = f(scale (x - mean) / sqrt(variance + epsilon) + shift), mean and variance of each channel
/// over the bands and unpadded frames of the shard while training, running averages otherwise
/// (Ioffe and Szegedy 2015).
class BatchNorm : public Cloneable<BatchNorm, Layer> {
 public:
  double epsilon = 1e-5;
  Activation activation = Activation::kNone;

  std::string_view type() const override { return "batch_norm"; }
  void visit(FieldVisitor& v) override {
    v.field("epsilon", epsilon, "Added to the variance");
    visit_activation(v, activation);
  }

  Shape plan(Node& node) const override {
    if (!(epsilon > 0)) throw Error(fmt::format("'epsilon': expected > 0, found {}", epsilon));
    const int channels = node.input.channels;
    node.parameters = {{"scale", channels, 1, Init::kOnes}, {"shift", channels, 1, Init::kZeros}};
    node.state = {{"mean", channels, 1, Init::kZeros}, {"variance", channels, 1, Init::kOnes}};
    return node.input;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Index channels = x.shape.channels;
    ColumnArray mean = pass.running(node.state[0]).array();
    ColumnArray variance = pass.running(node.state[1]).array();
    if (pass.mode == Mode::kTrain) {
      batch_statistics(x, mean, variance);
      const double n = count(x);
      pass.update(node.state[0]) = mean.matrix();
      pass.update(node.state[1]) =
          (variance * static_cast<Real>(n / std::max(1.0, n - 1))).matrix();
    }
    ArrayMap inverse(pass.arena->take<Real>(channels), channels);
    inverse = (variance + static_cast<Real>(epsilon)).rsqrt();
    tape.kept[0] = inverse.data();

    const Tensor y = pass.arena->tensor_like(x);
    const bool keeps = pass.mode == Mode::kTrain;
    const Tensor normalised = keeps ? pass.arena->tensor_like(x) : y;
    tape.kept[1] = normalised.data;
    const ColumnArray scale = pass.value(node.parameters[0]).col(0).array();
    const ColumnArray shift = pass.value(node.parameters[1]).col(0).array();
    auto in = by_channel(x), hat = by_channel(normalised), out = by_channel(y);
    for (Index i = 0; i < in.cols(); ++i) {
      hat.col(i).array() = (in.col(i).array() - mean) * inverse;
      out.col(i).array() = hat.col(i).array() * scale + shift;
    }
    if (keeps_input(activation) && keeps) {
      const Tensor z = pass.arena->tensor_like(y);
      z.array() = y.array();
      tape.kept[2] = z.data;
    }
    activate(activation, ConstArrayMap(y.data, y.size()), y.array());
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Real* kept =
        keeps_input(activation) ? static_cast<const Real*>(tape.kept[2]) : tape.output.data;
    activation_backward(activation, ConstArrayMap(kept, gradient.size()), gradient.array());

    const Index channels = gradient.shape.channels;
    const ConstArrayMap inverse(static_cast<const Real*>(tape.kept[0]), channels);
    Tensor normalised = tape.input;
    normalised.data = static_cast<Real*>(tape.kept[1]);
    auto hat = by_channel(normalised), dy = by_channel(gradient);
    // Padded frames carry no gradient, so they do not enter these sums.
    DoubleArray sum_dy = DoubleArray::Zero(channels), sum_dy_hat = DoubleArray::Zero(channels);
    for (Index i = 0; i < dy.cols(); ++i) {
      sum_dy += dy.col(i).array().template cast<double>();
      sum_dy_hat += (dy.col(i).array() * hat.col(i).array()).template cast<double>();
    }
    pass.gradient(node.parameters[0]).array() += sum_dy_hat.cast<Real>();
    pass.gradient(node.parameters[1]).array() += sum_dy.cast<Real>();
    if (!tape.wants_input_gradient) return {};

    // dL/dx = scale / sigma (dy - mean(dy) - hat mean(dy hat))
    const ColumnArray factor = pass.value(node.parameters[0]).col(0).array() * inverse;
    const double n = count(tape.input);
    const ColumnArray mean_dy = (sum_dy / n).cast<Real>();
    const ColumnArray mean_dy_hat = (sum_dy_hat / n).cast<Real>();
    for (Index i = 0; i < dy.cols(); ++i)
      dy.col(i).array() = factor * (dy.col(i).array() - mean_dy - hat.col(i).array() * mean_dy_hat);
    gradient.clear_padding();
    return gradient;
  }

 private:
  /// [channels x everything else]
  static MatrixMap by_channel(const Tensor& t) {
    return {t.data, t.shape.channels, t.shape.bands * t.columns()};
  }
  static double count(const Tensor& x) {
    return static_cast<double>(x.valid_frames() * x.shape.bands);
  }

  /// Two passes, summed in double: mean, then the mean square difference from it.
  static void batch_statistics(const Tensor& x, ColumnArray& mean, ColumnArray& variance) {
    const auto all = by_channel(x);
    const double n = count(x);
    DoubleArray sum = DoubleArray::Zero(all.rows());
    for (Index i = 0; i < all.cols(); ++i) sum += all.col(i).array().template cast<double>();
    mean = (sum / n).cast<Real>();
    sum.setZero();
    const Index per_clip = x.shape.bands * x.frames;
    for (Index clip = 0; clip < x.clips; ++clip)
      for (Index i = 0; i < x.shape.bands * x.length(clip); ++i)
        sum += (all.col(clip * per_clip + i).array() - mean).square().template cast<double>();
    variance = (sum / n).cast<Real>();
  }
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm() { return std::make_unique<BatchNorm>(); }

}  // namespace ser::nn
