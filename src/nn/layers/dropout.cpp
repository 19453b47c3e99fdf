#include <fmt/format.h>

#include "nn/layers/dropout_mask.h"
#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// Zero with probability `rate`, else 1 / (1 - rate). 16 random bits decide.
class Coins {
 public:
  Coins(Rng rng, double rate)
      : rng_(rng),
        threshold_(static_cast<std::uint32_t>(rate * 65536)),
        kept_(static_cast<Real>(1 / (1 - rate))) {}
  Real next() {
    bits_ = half_left_ ? bits_ >> 16 : rng_.next_u32();
    half_left_ = !half_left_;
    return (bits_ & 0xffff) < threshold_ ? Real{0} : kept_;
  }

 private:
  Rng rng_;
  std::uint32_t threshold_;
  Real kept_;
  std::uint32_t bits_ = 0;
  bool half_left_ = false;
};

/// Zeroes elements with probability `rate` while training and scales the others by 1 / (1 - rate)
/// (Srivastava et al. 2014); with `per_channel`, whole channels of a clip (Tompson et al. 2015).
class Dropout : public Cloneable<Dropout, Layer> {
 public:
  double rate = 0.5;
  bool per_channel = false;

  std::string_view type() const override { return "dropout"; }
  void visit(FieldVisitor& v) override {
    v.field("rate", rate, "Probability of zeroing");
    v.field("per_channel", per_channel, "Zero whole channels of a clip");
  }

  Shape plan(Node& node) const override {
    if (!(rate >= 0 && rate < 1))
      throw Error(fmt::format("'rate': expected a number in [0, 1), found {}", rate));
    return node.input;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    if (pass.mode == Mode::kInfer || rate == 0) return tape.input;
    const Tensor mask = pass.arena->tensor_like(tape.input);
    draw(pass.rng.fork(node.stream), mask);
    tape.kept[0] = mask.data;
    const Tensor y = pass.arena->tensor_like(tape.input);
    y.array() = tape.input.array() * mask.array();
    return y;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    if (pass.mode == Mode::kTrain && rate > 0)
      gradient.array() *= ConstArrayMap(static_cast<const Real*>(tape.kept[0]), gradient.size());
    return gradient;
  }

 private:
  void draw(Rng rng, const Tensor& mask) const {
    if (!per_channel) return draw_dropout(rng, rate, mask);
    const Index channels = mask.shape.channels, copies = mask.shape.bands * mask.frames;
    Coins coins(rng, rate);
    for (Index n = 0; n < mask.clips; ++n) {
      MatrixMap clip(mask.data + n * channels * copies, channels, copies);
      for (Index c = 0; c < channels; ++c) clip(c, 0) = coins.next();
      for (Index i = 1; i < copies; ++i) clip.col(i) = clip.col(0);
    }
  }
};

}  // namespace

void draw_dropout(Rng rng, double rate, const Tensor& mask) {
  Coins coins(rng, rate);
  for (Index i = 0; i < mask.size(); ++i) mask.data[i] = coins.next();
}

std::unique_ptr<Layer> make_dropout() { return std::make_unique<Dropout>(); }

}  // namespace ser::nn
