
#include <algorithm>
#include <array>

#include "nn/layers/parts.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// Zeroes elements with probability `rate` while training and scales the others by 1 / (1 - rate)
/// (Srivastava et al. 2014); with `per_channel`, whole channels of a clip (Tompson et al. 2015).
class Dropout : public Cloneable<Dropout, Layer> {
 public:
  double rate = 0.5;
  bool per_channel = false;

  std::string_view type() const override { return "dropout"; }
  void visit(FieldVisitor& v) override {
    v.field("rate", rate, "Probability of zeroing", Range{0, 1}.below());
    v.field("per_channel", per_channel, "Zero whole channels of a clip");
  }

  Shape plan(Node& node) const override { return node.input; }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    if (pass.mode == Mode::kInfer || rate == 0) return tape.input;
    const Tensor y = tape.owns_input ? tape.input : pass.arena->tensor_like(tape.input);
    const Arena::Mark scratch = pass.arena->mark();
    const Tensor mask = pass.arena->tensor_like(tape.input);
    draw(pass.rng.fork(node.stream), *pass.arena, mask);
    y.array() = tape.input.array() * mask.array();
    pass.arena->release(scratch);
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    if (pass.mode == Mode::kInfer || rate == 0) return dy;
    const Tensor mask = pass.arena->tensor_like(tape.input);
    draw(pass.rng.fork(node.stream), *pass.arena, mask);  // again: cheaper than the memory
    dy.array() *= mask.array();
    return dy;
  }

  std::string export_to(OnnxGraph&, const Node&, const Pass&, const std::string& x) const override {
    return x;
  }

 private:
  void draw(const Rng& rng, Arena& arena, const Tensor& mask) const {
    if (!per_channel) return draw_dropout(rng, rate, mask);
    const Index channels = mask.shape.channels, copies = mask.shape.bands * mask.frames;
    const Tensor coins = arena.tensor({mask.shape.channels, 1, 1}, 1, mask.clips, nullptr);
    draw_dropout(rng, rate, coins);
    for (Index n = 0; n < mask.clips; ++n)
      MatrixMap(mask.data + n * channels * copies, channels, copies).colwise() =
          coins.matrix().col(n);
  }
};

}  // namespace

// 16 random bits decide about an element.
void draw_dropout(Rng rng, double rate, const Tensor& mask) {
  const auto threshold = static_cast<std::uint32_t>(rate * 65536);
  const auto kept = static_cast<Real>(1 / (1 - rate));
  std::array<std::uint32_t, 128> words;
  const Index chunk = 2 * static_cast<Index>(words.size());
  for (Index begin = 0; begin < mask.size(); begin += chunk) {
    const Index count = std::min(chunk, mask.size() - begin);
    rng.fill(std::span(words).first(static_cast<std::size_t>(count + 1) / 2));
    for (Index i = 0; i < count; ++i) {
      const std::uint32_t bits = words[i / 2] >> (i % 2 * 16) & 0xffff;
      mask.data[begin + i] = bits < threshold ? Real{0} : kept;
    }
  }
}

std::unique_ptr<Layer> make_dropout() { return std::make_unique<Dropout>(); }

}  // namespace ser::nn
