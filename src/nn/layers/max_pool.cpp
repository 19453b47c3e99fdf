#include "nn/layers/makers.h"
#include "nn/layers/parts.h"
#include "nn/layers/pooling.h"

namespace ser::nn {
namespace {

/// The largest element of each window over bands and frames, channel by channel. The gradient goes
/// to the first of equal ones.
class MaxPool : public Cloneable<MaxPool, Layer> {
 public:
  Pooling pooling;

  std::string_view type() const override { return "max_pool"; }
  void visit(FieldVisitor& v) override { pooling.visit(v); }
  Shape plan(Node& node) const override { return pooling.plan(node.input); }

  Tensor forward(const Node&, const Pass& pass, Tape& tape) const override {
    const Tensor y = pooling.output(*pass.arena, tape.input);
    pooling.for_each_window(tape.input, y, [&](Index out, const PoolWindow& window) {
      ColumnMap best(y.data + out, y.shape.channels);
      window.for_each([&](Index at, bool first) {
        const ColumnMap x(tape.input.data + at, y.shape.channels);
        if (first)
          best = x;
        else
          best = best.max(x);
      });
    });
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Tensor dx = pass.arena->tensor_like(tape.input);
    const bool once = pooling.covers_once();
    if (!once) dx.array().setZero();
    pooling.for_each_window(tape.input, gradient, [&](Index out, const PoolWindow& window) {
      const Index channels = gradient.shape.channels;
      const ColumnMap best(tape.output.data + out, channels);
      ColumnMap left(gradient.data + out, channels);  // what no element has claimed yet
      window.for_each([&](Index at, bool) {
        const ColumnMap x(tape.input.data + at, channels);
        ColumnMap d(dx.data + at, channels);
        if (once)
          d = (x == best).select(left, Real{0});
        else
          d += (x == best).select(left, Real{0});
        left = (x == best).select(Real{0}, left);
      });
    });
    if (once) dx.clear_padding();
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass&,
                        const std::string& x) const override {
    return export_image(graph, "MaxPool", x, node.input, {},
                        export_windows(pooling.band_window(), pooling.frame_window()));
  }
};

}  // namespace

std::unique_ptr<Layer> make_max_pool() { return std::make_unique<MaxPool>(); }

}  // namespace ser::nn
