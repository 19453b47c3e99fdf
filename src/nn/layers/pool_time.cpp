#include "nn/internal/onnx_graph.h"
#include "nn/layers/makers.h"
#include "nn/layers/pooling.h"

namespace ser::nn {
namespace {

/// One frame for all unpadded frames of a clip: their mean, largest, last or first values.
class PoolTime : public Cloneable<PoolTime, Layer> {
 public:
  enum class Kind { kMean, kMax, kLast, kFirst };
  Kind kind = Kind::kMean;

  std::string_view type() const override { return "pool_time"; }
  void visit(FieldVisitor& v) override {
    v.choice("kind", kind,
             {{"mean", Kind::kMean},
              {"max", Kind::kMax},
              {"last", Kind::kLast},
              {"first", Kind::kFirst}},
             "What is kept of a clip's frames");
  }

  Shape plan(Node& node) const override { return {node.input.channels, node.input.bands, 1}; }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Tensor y = pass.arena->tensor(node.output, 1, x.clips, nullptr);
    for (Index n = 0; n < x.clips; ++n) {
      const auto frame = [&](Index t) { return column(x, n * x.frames + t); };
      ColumnMap out = column(y, n);
      out = frame(kind == Kind::kLast ? x.length(n) - 1 : 0);
      for (Index t = 1; t < x.length(n); ++t) {
        if (kind == Kind::kMean) out += frame(t);
        if (kind == Kind::kMax) out = out.max(frame(t));
      }
      if (kind == Kind::kMean) out *= 1 / static_cast<Real>(x.length(n));
    }
    return y;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Tensor& x = tape.input;
    const Tensor dx = pass.arena->tensor_like(x);
    dx.array().setZero();
    for (Index n = 0; n < x.clips; ++n) {
      const Index length = x.length(n), begin = n * x.frames;
      ColumnMap dy = column(gradient, n);
      if (kind == Kind::kFirst) column(dx, begin) = dy;
      if (kind == Kind::kLast) column(dx, begin + length - 1) = dy;
      if (kind == Kind::kMean) dy *= 1 / static_cast<Real>(length);
      for (Index t = begin; t < begin + length; ++t) {
        if (kind == Kind::kMean) column(dx, t) = dy;
        if (kind == Kind::kMax) {  // to the first of equal ones
          const auto hit = column(x, t) == column(tape.output, n);
          column(dx, t) = hit.select(dy, Real{0});
          dy = hit.select(Real{0}, dy);
        }
      }
    }
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node&, const Pass&,
                        const std::string& x) const override {
    const std::vector<OnnxGraph::Attribute> over_frames = {{"axes", OnnxGraph::Sizes{1}}};
    switch (kind) {
      case Kind::kMean:
        return graph.add("ReduceMean", {x}, over_frames);
      case Kind::kMax:
        return graph.add("ReduceMax", {x}, over_frames);
      case Kind::kLast:
        return graph.slice(x, 1, -1, std::numeric_limits<std::int64_t>::max());
      case Kind::kFirst:
        return graph.slice(x, 1, 0, 1);
    }
    return x;
  }

 private:
  static ColumnMap column(const Tensor& t, Index index) {
    return {t.data + index * t.rows(), t.rows()};
  }
};

}  // namespace

std::unique_ptr<Layer> make_pool_time() { return std::make_unique<PoolTime>(); }

}  // namespace ser::nn
