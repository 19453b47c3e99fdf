
#include <algorithm>

#include "nn/layers/parts.h"
#include "nn/product.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

constexpr Real kVarianceFloor = Real(1e-5);

/// A clip's frames as their mean weighted by attention, a = softmax(e) over the unpadded frames,
/// e_t = v tanh(W x_t + b), or v x_t without hidden units; with `mean_std` the weighted standard
/// deviation follows (attentive statistics pooling, Okabe et al. 2018).
class AttentionPool : public Cloneable<AttentionPool, Layer> {
 public:
  enum class Statistics { kMean, kMeanStd };
  int hidden = 64;
  Statistics statistics = Statistics::kMean;

  std::string_view type() const override { return "attention_pool"; }
  void visit(FieldVisitor& v) override {
    v.field("hidden", hidden, "Hidden units of the attention (0: none)", Range{0, 65536});
    v.choice("statistics", statistics,
             {{"mean", Statistics::kMean}, {"mean_std", Statistics::kMeanStd}},
             "What is kept of the weighted frames");
  }

  Shape plan(Node& node) const override {
    const Index rows = node.input.rows();
    node.parameters = {{"score_weight", 1, hidden > 0 ? hidden : rows, Init::kGlorot, true}};
    if (hidden > 0) {
      node.parameters.push_back({"hidden_weight", hidden, rows, Init::kGlorot, true});
      node.parameters.push_back({"hidden_bias", hidden, 1, Init::kZeros});
    }
    return {rows * (statistics == Statistics::kMeanStd ? 2 : 1), 1, 1};
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    Arena& arena = *pass.arena;
    const Tensor e = arena.tensor({1, 1, x.shape.frames}, x.frames, x.clips, x.lengths);
    const ConstAlignedMap score = pass.value(node.parameters[0]);
    if (hidden > 0) {
      const Tensor units = hidden_tensor(x, arena.take<Real>(hidden * x.columns()));
      multiply(arena, pass.value(node.parameters[1]), pass.value(node.parameters[2]).data(), x,
               units);
      units.array() = units.array().tanh();
      tape.kept[1] = units.data;
      e.matrix().noalias() = score * units.matrix();
    } else {
      e.matrix().noalias() = score * x.matrix();
    }
    tape.kept[0] = e.data;
    const Tensor y = pass.arena->tensor(node.output, 1, x.clips, nullptr);
    for (Index n = 0; n < x.clips; ++n) pool(x, n, e.data + n * x.frames, y.matrix().col(n));
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    const Tensor& x = tape.input;
    const Tensor dx = pass.arena->tensor_like(x);
    AlignedMap de(pass.arena->take<Real>(x.columns()), 1, x.columns());
    for (Index n = 0; n < x.clips; ++n) unpool(tape, n, dy, dx, de.data() + n * x.frames);
    dx.clear_padding();
    const ConstAlignedMap score = pass.value(node.parameters[0]);
    if (hidden == 0) {
      pass.gradient(node.parameters[0]).noalias() += de * x.matrix().transpose();
      dx.matrix().noalias() += score.transpose() * de;
      return dx;
    }
    const Tensor units = hidden_tensor(x, static_cast<Real*>(tape.kept[1]));
    pass.gradient(node.parameters[0]).noalias() += de * units.matrix().transpose();
    for (Index i = 0; i < units.columns(); ++i) {  // now dL/d(before tanh)
      auto unit = units.matrix().col(i).array();
      unit = score.row(0).transpose().array() * de(0, i) * (1 - unit.square());
    }
    add_outer_product(*pass.arena, units, x, pass.gradient(node.parameters[1]));
    pass.gradient(node.parameters[2]) += units.matrix().rowwise().sum();
    if (!tape.wants_input_gradient) return {};
    const Tensor through = pass.arena->tensor_like(x);
    multiply_transposed(*pass.arena, pass.value(node.parameters[1]), units, through);
    dx.array() += through.array();
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    std::string scores = x;
    if (hidden > 0) {
      scores = export_product(graph, pass.value(node.parameters[1]), x);
      scores = graph.add("Add",
                         {scores, graph.constant(pass.value(node.parameters[2]).col(0), {hidden})});
      scores = graph.add("Tanh", {scores});
    }
    scores = export_product(graph, pass.value(node.parameters[0]), scores);
    const std::string weights = graph.add("Softmax", {scores}, {{"axis", 1}});
    // From here on [clips, rows, frames].
    const std::string frames = graph.transpose(x, {0, 2, 1});
    std::string y = graph.add("MatMul", {frames, weights});
    if (statistics == Statistics::kMeanStd) {
      const std::string difference = graph.add("Sub", {frames, y});
      const std::string square = graph.add("Mul", {difference, difference});
      const Index rows = node.input.rows();
      const std::string floor = graph.constant(Vector::Constant(rows, kVarianceFloor), {rows, 1});
      const std::string variance =
          graph.add("Add", {graph.add("MatMul", {square, weights}), floor});
      y = graph.add("Concat", {y, graph.add("Sqrt", {variance})}, {{"axis", 1}});
    }
    return graph.transpose(y, {0, 2, 1});
  }

 private:
  Tensor hidden_tensor(const Tensor& x, Real* data) const {
    Tensor t = x;
    t.data = data;
    t.shape = {hidden, 1, x.shape.frames};
    return t;
  }

  /// Scores to attention, in place (padding: zero), and the statistics of one clip.
  template <typename Column>
  void pool(const Tensor& x, Index clip, Real* scores, Column out) const {
    const Index length = x.length(clip), rows = x.rows();
    const MatrixMap frames(x.data + clip * x.frames * rows, rows, length);
    Eigen::Map<Vector> a(scores, length);
    a = (a.array() - a.maxCoeff()).exp().matrix();
    a /= a.sum();
    std::fill(scores + length, scores + x.frames, Real{0});
    auto mean = out.head(rows);
    mean.setZero();
    for (Index t = 0; t < length; ++t) mean += a(t) * frames.col(t);
    if (statistics == Statistics::kMean) return;
    auto deviation = out.tail(rows);
    deviation.setConstant(kVarianceFloor);
    for (Index t = 0; t < length; ++t)
      deviation.array() += a(t) * (frames.col(t) - mean).array().square();
    deviation = deviation.cwiseSqrt();
  }

  /// dL/dx of one clip without the way through the attention; returns dL/de in `de`, which holds
  /// zeros for the padding.
  void unpool(const Tape& tape, Index clip, const Tensor& gradient, const Tensor& dx,
              Real* de) const {
    const Tensor& x = tape.input;
    const Index length = x.length(clip), rows = x.rows();
    const Real* const a = static_cast<const Real*>(tape.kept[0]) + clip * x.frames;
    auto dy = gradient.matrix().col(clip);
    const auto y = tape.output.matrix().col(clip);
    const auto dmean = dy.head(rows);
    auto dvariance = dy.tail(rows).array();
    if (statistics == Statistics::kMeanStd) dvariance /= 2 * y.tail(rows).array();
    Real expected = 0;
    for (Index t = 0; t < length; ++t) {
      const auto frame = x.clip(clip).col(t);
      auto d = dx.clip(clip).col(t);
      d = a[t] * dmean;
      de[t] = dmean.dot(frame);  // dL/da
      if (statistics == Statistics::kMeanStd) {
        const auto difference = (frame - y.head(rows)).array();
        d.array() += 2 * a[t] * dvariance * difference;
        de[t] += (dvariance * difference.square()).sum();
      }
      expected += a[t] * de[t];
    }
    for (Index t = 0; t < length; ++t) de[t] = a[t] * (de[t] - expected);
    std::fill(de + length, de + x.frames, Real{0});
  }
};

}  // namespace

std::unique_ptr<Layer> make_attention_pool() { return std::make_unique<AttentionPool>(); }

}  // namespace ser::nn
