#include "nn/layers/makers.h"

namespace ser::nn {
namespace {

/// Layers one after the other.
class Sequential : public Cloneable<Sequential, Layer> {
 public:
  std::vector<Box<Layer>> layers;

  std::string_view type() const override { return "sequential"; }
  void visit(FieldVisitor& v) override { visit_layers(v, "layers", layers, "First to last"); }

  Shape plan(Node& node) const override {
    return plan_chain(layers, node.name + ".", node.input, node.children);
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    return forward_chain(node.children, pass, tape.children, tape.input);
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    return backward_chain(node.children, pass, tape.children, gradient, tape.wants_input_gradient);
  }
};

}  // namespace

std::unique_ptr<Layer> make_sequential() { return std::make_unique<Sequential>(); }

}  // namespace ser::nn
