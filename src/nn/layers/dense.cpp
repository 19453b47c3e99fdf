#include "nn/layers/parts.h"
#include "nn/product.h"

namespace ser::nn {
namespace {

/// y = f(W x + b) for every frame x.
class Dense : public Cloneable<Dense, Layer> {
 public:
  int units = 128;
  bool bias = true;
  Activation activation = Activation::kNone;
  Initializer init = Initializer::kAuto;

  std::string_view type() const override { return "dense"; }
  void visit(FieldVisitor& v) override {
    v.field("units", units, "Outputs", Range{1, 1 << 20});
    v.field("bias", bias, "Add a constant to each output");
    visit_activation(v, activation);
    visit_initializer(v, init);
  }

  Shape plan(Node& node) const override {
    node.parameters = {make_weight(init, activation, units, node.input.rows())};
    if (bias) node.parameters.push_back({"bias", units, 1, Init::kZeros});
    return {units, 1, node.input.frames};
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor& x = tape.input;
    const Tensor y = pass.arena->tensor(node.output, x.frames, x.clips, x.lengths);
    multiply(*pass.arena, pass.value(node.parameters[0]),
             bias ? pass.value(node.parameters[1]).data() : nullptr, x, y);
    finish_forward(activation, y);
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    begin_backward(activation, tape.output, dy);
    add_outer_product(*pass.arena, dy, tape.input, pass.gradient(node.parameters[0]));
    if (bias) pass.gradient(node.parameters[1]) += dy.matrix().rowwise().sum();
    if (!tape.wants_input_gradient) return {};
    const Tensor dx = pass.arena->tensor_like(tape.input);
    multiply_transposed(*pass.arena, pass.value(node.parameters[0]), dy, dx);
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    std::string y = export_product(graph, pass.value(node.parameters[0]), x);
    if (bias)
      y = graph.add("Add", {y, graph.constant(pass.value(node.parameters[1]).col(0), {units})});
    return export_activation(graph, activation, y);
  }
};

}  // namespace

std::unique_ptr<Layer> make_dense() { return std::make_unique<Dense>(); }

std::unique_ptr<Layer> make_output_layer(int outputs) {
  auto layer = std::make_unique<Dense>();
  layer->units = outputs;
  return layer;
}

}  // namespace ser::nn
