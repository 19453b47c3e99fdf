#include <fmt/format.h>

#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// Rows [first, first + count) of the bands, `channels` each.
auto bands(const Tensor& tensor, Index channels, Index first, Index count) {
  return tensor.matrix().middleRows(first * channels, count * channels);
}

/// Some neighbouring bands of every frame: y = x[first, first + count).
class Rows : public Cloneable<Rows, Layer> {
 public:
  int first = 0;
  int count = 1;

  std::string_view type() const override { return "rows"; }
  void visit(FieldVisitor& v) override {
    v.field("first", first, "First band kept, from 0");
    v.field("count", count, "Bands kept");
  }

  Shape plan(Node& node) const override {
    if (first < 0 || count < 1 || count > node.input.bands - first)
      throw Error(fmt::format("'first' and 'count': expected some of the {} bands, found {} and {}",
                              node.input.bands, first, count));
    return {node.input.channels, count, node.input.frames};
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Tensor y = pass.arena->tensor(node.output, x.frames, x.clips, x.lengths);
    y.matrix() = bands(x, node.input.channels, first, count);
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    if (!tape.wants_input_gradient) return {};
    const Tensor dx = pass.arena->tensor_like(tape.input);
    dx.array().setZero();
    bands(dx, node.input.channels, first, count) = gradient.matrix();
    return dx;
  }
};

}  // namespace

std::unique_ptr<Layer> make_rows() { return std::make_unique<Rows>(); }

}  // namespace ser::nn
