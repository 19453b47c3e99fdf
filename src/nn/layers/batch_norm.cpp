
#include <algorithm>

#include "nn/layers/parts.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

using DoubleArray = Eigen::Map<Eigen::ArrayXd>;

constexpr Index kBlock = 256;    // numbers handled at a time: long vector loops, in the first cache
constexpr Index kShortSum = 64;  // blocks summed as Real before their sum goes to double

/// Columns put together as one block, so that loops are long whatever the number of channels, and
/// blocks start on kAlignment.
Index columns_of_block(Index channels) {
  Index columns = 1;
  while (channels * columns < kBlock || channels * columns != aligned_count(channels * columns))
    ++columns;
  return columns;
}

/// One number a channel, repeated for each column of a block.
ArrayMap repeated(Arena& arena, Index channels) {
  const Index size = channels * columns_of_block(channels);
  return {arena.take<Real>(size), size};
}

template <typename Column>
void fill(ArrayMap block, const Column& channels) {
  for (Index i = 0; i < block.size(); i += channels.size())
    block.segment(i, channels.size()) = channels;
}

/// Calls f(offset, size) for blocks of [0, size), the last one shorter.
template <typename F>
void for_each_block(Index size, Index block, const F& f) {
  for (Index i = 0; i < size; i += block) f(i, std::min(block, size - i));
}

/// Sums over columns, channel by channel: short ones as Real, those in double.
class ChannelSums {
 public:
  ChannelSums(Arena& arena, Index channels)
      : channels_(channels),
        total_(arena.take<double>(channels), channels),
        partial_(repeated(arena, channels)) {
    total_.setZero();
    partial_.setZero();
  }

  template <typename Terms>
  void add(const Terms& terms) {
    partial_.head(terms.size()) += terms;
    if (++count_ == kShortSum) flush();
  }

  DoubleArray total() {
    flush();
    return total_;
  }

 private:
  void flush() {
    for (Index i = 0; i < partial_.size(); i += channels_)
      total_ += partial_.segment(i, channels_).cast<double>();
    partial_.setZero();
    count_ = 0;
  }

  Index channels_;
  DoubleArray total_;
  ArrayMap partial_;
  Index count_ = 0;
};

/// The straight line that a channel's numbers go through, repeated for a block.
struct Line {
  ArrayMap mean, inverse, factor, shift;
  auto at(ConstArrayMap x) const {
    return (x - mean.head(x.size())) * factor.head(x.size()) + shift.head(x.size());
  }
};

/// y = f(scale (x - mean) / sqrt(variance + epsilon) + shift), mean and variance of each channel
/// over the bands and unpadded frames of the shard while training, running averages otherwise
/// (Ioffe and Szegedy 2015).
class BatchNorm : public Cloneable<BatchNorm, Layer> {
 public:
  double epsilon = 1e-5;
  Activation activation = Activation::kNone;

  std::string_view type() const override { return "batch_norm"; }
  bool reads_output() const override { return false; }
  void visit(FieldVisitor& v) override {
    v.field("epsilon", epsilon, "Added to the variance", Range{0, 1}.above());
    visit_activation(v, activation);
  }

  Shape plan(Node& node) const override {
    const Index channels = node.input.channels;
    node.parameters = {{"scale", channels, 1, Init::kOnes}, {"shift", channels, 1, Init::kZeros}};
    node.state = {{"mean", channels, 1, Init::kZeros}, {"variance", channels, 1, Init::kOnes}};
    return node.input;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Index channels = x.shape.channels;
    ArrayMap mean = repeated(*pass.arena, channels), inverse = repeated(*pass.arena, channels);
    tape.kept[0] = mean.data();
    tape.kept[1] = inverse.data();
    if (pass.mode == Mode::kTrain) {
      batch_statistics(node, pass, x, mean, inverse);
    } else {
      fill(mean, pass.running(node.state[0]).array());
      fill(inverse, (pass.running(node.state[1]).array() + static_cast<Real>(epsilon)).rsqrt());
    }
    const Line line = kept_line(node, pass, tape);
    const Tensor y = pass.arena->tensor_like(x);
    for_each_block(x.size(), line.mean.size(), [&](Index at, Index size) {
      ArrayMap out(y.data + at, size);
      out = line.at(ConstArrayMap(x.data + at, size));
      if (activation == Activation::kRelu) out = out.max(Real{0});
    });
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    const Tensor& x = tape.input;
    const Line line = kept_line(node, pass, tape);
    const Index channels = x.shape.channels, block = line.mean.size();
    Real* const scratch = pass.arena->take<Real>(block);
    // Padded frames carry no gradient, so they do not enter these sums.
    ChannelSums sum_dz(*pass.arena, channels), sum_dz_x(*pass.arena, channels);
    for_each_block(x.size(), block, [&](Index at, Index size) {
      const ArrayMap dz = before_activation(line, x.data + at, dy.data + at, size, scratch);
      sum_dz.add(dz);
      sum_dz_x.add(dz * (ConstArrayMap(x.data + at, size) - line.mean.head(size)));
    });
    const auto inverse = line.inverse.head(channels);
    DoubleArray sum_dz_hat = sum_dz_x.total();
    sum_dz_hat *= inverse.cast<double>();
    pass.gradient(node.parameters[0]).col(0).array() += sum_dz_hat.cast<Real>();
    pass.gradient(node.parameters[1]).col(0).array() += sum_dz.total().cast<Real>();
    if (!tape.wants_input_gradient) return {};

    // dL/dx = scale / sigma (dz - mean(dz) - hat mean(dz hat))
    const double n = count(x);
    const ArrayMap offset = repeated(*pass.arena, channels),
                   slope = repeated(*pass.arena, channels);
    fill(offset, (sum_dz.total() / n).cast<Real>());
    fill(slope, (sum_dz_hat / n).cast<Real>() * inverse);
    for_each_block(x.size(), block, [&](Index at, Index size) {
      const ArrayMap dz = before_activation(line, x.data + at, dy.data + at, size, scratch);
      ArrayMap(dy.data + at, size) =
          line.factor.head(size) *
          (dz - offset.head(size) -
           slope.head(size) * (ConstArrayMap(x.data + at, size) - line.mean.head(size)));
    });
    dy.clear_padding();
    return dy;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    const auto numbers = [&](const auto& channels) {
      return graph.constant(channels, {node.input.channels});
    };
    const std::vector<std::string> factors = {numbers(pass.value(node.parameters[0]).col(0)),
                                              numbers(pass.value(node.parameters[1]).col(0)),
                                              numbers(pass.running(node.state[0])),
                                              numbers(pass.running(node.state[1]))};
    const std::string y = export_image(graph, "BatchNormalization", x, node.input, factors,
                                       {{"epsilon", static_cast<float>(epsilon)}});
    return export_activation(graph, activation, y);
  }

 private:
  static Line kept_line(const Node& node, const Pass& pass, const Tape& tape) {
    const Index channels = tape.input.shape.channels;
    const Index block = channels * columns_of_block(channels);
    const ArrayMap mean(static_cast<Real*>(tape.kept[0]), block);
    const ArrayMap inverse(static_cast<Real*>(tape.kept[1]), block);
    ArrayMap factor = repeated(*pass.arena, channels);
    const ArrayMap shift = repeated(*pass.arena, channels);
    fill(factor, pass.value(node.parameters[0]).col(0).array());
    factor *= inverse;
    fill(shift, pass.value(node.parameters[1]).col(0).array());
    return {mean, inverse, factor, shift};
  }

  /// dL/dz of a block in `scratch`, z = line(x) being what the activation took; computed again from
  /// x, which is cheaper than to keep it.
  ArrayMap before_activation(const Line& line, const Real* x, const Real* gradient, Index size,
                             Real* scratch) const {
    const ConstArrayMap dy(gradient, size);
    ArrayMap dz(scratch, size);
    if (activation == Activation::kRelu)
      dz = (line.at(ConstArrayMap(x, size)) > Real{0}).select(dy, Real{0});
    else
      dz = dy;
    return dz;
  }

  static double count(const Tensor& x) {
    return static_cast<double>(x.valid_frames() * x.shape.bands);
  }

  /// Calls f(values) for blocks of the unpadded frames, clip after clip.
  template <typename F>
  static void for_each_valid_block(const Tensor& x, Index block, const F& f) {
    for (Index n = 0; n < x.clips; ++n) {
      const Real* const clip = x.data + n * x.frames * x.rows();
      for_each_block(x.length(n) * x.rows(), block, [&](Index at, Index size) {
        f(Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>(clip + at, size));
      });
    }
  }

  /// Mean and 1 / sqrt(variance + epsilon) of each channel, and the update of the running ones. One
  /// pass over the data: sums of differences from the first column, which keeps them small.
  void batch_statistics(const Node& node, const Pass& pass, const Tensor& x, ArrayMap mean,
                        ArrayMap inverse) const {
    const Index channels = x.shape.channels;
    const ArrayMap pivot = repeated(*pass.arena, channels);
    fill(pivot, ConstArrayMap(x.data, channels));
    ChannelSums sum(*pass.arena, channels), squares(*pass.arena, channels);
    for_each_valid_block(x, pivot.size(), [&](const auto& values) {
      const auto difference = values - pivot.head(values.size());
      sum.add(difference);
      squares.add(difference.square());
    });
    const double n = count(x);
    DoubleArray shifted = sum.total(), variance = squares.total();
    shifted /= n;
    variance = (variance / n - shifted.square()).max(0.0);
    shifted += pivot.head(channels).cast<double>();
    pass.update(node.state[0]).array() = shifted.cast<Real>();
    pass.update(node.state[1]).array() = (variance * (n / std::max(1.0, n - 1))).cast<Real>();
    fill(mean, shifted.cast<Real>());
    fill(inverse, (variance + epsilon).rsqrt().cast<Real>());
  }
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm() { return std::make_unique<BatchNorm>(); }

}  // namespace ser::nn
