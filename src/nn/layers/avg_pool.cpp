#include "nn/layers/makers.h"
#include "nn/layers/pooling.h"

namespace ser::nn {
namespace {

/// The mean of each window over bands and frames, channel by channel; what lies past the ends of a
/// clip does not count.
class AvgPool : public Cloneable<AvgPool, Layer> {
 public:
  Pooling pooling;

  std::string_view type() const override { return "avg_pool"; }
  void visit(FieldVisitor& v) override { pooling.visit(v); }
  Shape plan(Node& node) const override { return pooling.plan(node.input); }

  Tensor forward(const Node&, const Pass& pass, Tape& tape) const override {
    const Tensor y = pooling.output(*pass.arena, tape.input);
    pooling.for_each_window(tape.input, y, [&](Index out, const PoolWindow& window) {
      ColumnMap sum(y.data + out, y.shape.channels);
      window.for_each([&](Index at, bool first) {
        const ColumnMap x(tape.input.data + at, y.shape.channels);
        if (first)
          sum = x;
        else
          sum += x;
      });
      sum *= 1 / static_cast<Real>(window.count());
    });
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Tensor dx = pass.arena->tensor_like(tape.input);
    dx.array().setZero();
    pooling.for_each_window(tape.input, gradient, [&](Index out, const PoolWindow& window) {
      const ColumnMap dy(gradient.data + out, gradient.shape.channels);
      const Real share = 1 / static_cast<Real>(window.count());
      window.for_each(
          [&](Index at, bool) { ColumnMap(dx.data + at, gradient.shape.channels) += dy * share; });
    });
    return dx;
  }
};

}  // namespace

std::unique_ptr<Layer> make_avg_pool() { return std::make_unique<AvgPool>(); }

}  // namespace ser::nn
