#include "core/internal/fail.h"
#include "nn/internal/onnx_graph.h"
#include "nn/layers/parts.h"

namespace ser::nn {
namespace {

/// The same numbers under another shape.
class Reshape : public Cloneable<Reshape, Layer> {
 public:
  enum class To { kSequence, kChannels, kBands };
  To to = To::kSequence;

  std::string_view type() const override { return "reshape"; }
  void visit(FieldVisitor& v) override {
    v.choice("to", to,
             {{"sequence", To::kSequence}, {"channels", To::kChannels}, {"bands", To::kBands}},
             "A vector's numbers as frames of one number, all rows as channels, or all as bands");
  }

  Shape plan(Node& node) const override {
    const Index rows = node.input.rows();
    if (to == To::kChannels) return {rows, 1, node.input.frames};
    if (to == To::kBands) return {1, rows, node.input.frames};
    if (node.input.frames != 1) fail("expected one vector a clip, found {}", to_string(node.input));
    return {1, 1, rows};
  }

  Tensor forward(const Node& node, const Pass&, Tape& tape) const override {
    if (to == To::kSequence) return reshaped(tape.input, node.output, tape.input.rows());
    Tensor y = tape.input;
    y.shape = node.output;
    return y;
  }

  Tensor backward(const Node& node, const Pass&, Tape& tape, const Tensor& dy) const override {
    Tensor dx = tape.input;
    dx.shape = node.input;
    dx.data = dy.data;
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node&, const Pass&,
                        const std::string& x) const override {
    return to == To::kSequence ? graph.reshape(x, {0, -1, 1}) : x;
  }
};

/// All frames of a clip as one vector, frame after frame.
class Flatten : public Cloneable<Flatten, Layer> {
 public:
  std::string_view type() const override { return "flatten"; }
  void visit(FieldVisitor&) override {}

  Shape plan(Node& node) const override {
    if (node.input.frames == 0)
      fail("expected a fixed number of frames, found {}", to_string(node.input));
    return {node.input.rows() * node.input.frames, 1, 1};
  }

  Tensor forward(const Node& node, const Pass&, Tape& tape) const override {
    return reshaped(tape.input, node.output, 1);
  }

  Tensor backward(const Node& node, const Pass&, Tape& tape, const Tensor& dy) const override {
    return reshaped(dy, node.input, tape.input.frames);
  }

  std::string export_to(OnnxGraph& graph, const Node&, const Pass&,
                        const std::string& x) const override {
    return graph.reshape(x, {0, 1, -1});
  }
};

}  // namespace

std::unique_ptr<Layer> make_reshape() { return std::make_unique<Reshape>(); }

std::unique_ptr<Layer> make_flatten() { return std::make_unique<Flatten>(); }

}  // namespace ser::nn
