#include <fmt/format.h>

#include "nn/internal/onnx_graph.h"
#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// All frames of a clip as one vector, frame after frame.
class Flatten : public Cloneable<Flatten, Layer> {
 public:
  std::string_view type() const override { return "flatten"; }
  void visit(FieldVisitor&) override {}

  Shape plan(Node& node) const override {
    if (node.input.frames == 0)
      throw Error(
          fmt::format("expected a fixed number of frames, found {}", to_string(node.input)));
    return {node.input.rows() * node.input.frames, 1, 1};
  }

  Tensor forward(const Node& node, const Pass&, Tape& tape) const override {
    return reshaped(tape.input, node.output, 1);
  }

  Tensor backward(const Node& node, const Pass&, Tape& tape,
                  const Tensor& gradient) const override {
    return reshaped(gradient, node.input, tape.input.frames);
  }

  std::string export_to(OnnxGraph& graph, const Node&, const Pass&,
                        const std::string& x) const override {
    return graph.reshape(x, {0, 1, -1});
  }
};

}  // namespace

std::unique_ptr<Layer> make_flatten() { return std::make_unique<Flatten>(); }

}  // namespace ser::nn
