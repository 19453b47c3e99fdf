#include "ser/nn/activation.h"

#include "nn/layers/makers.h"

namespace ser::nn {
namespace {

/// y = f(x), element by element.
class ActivationLayer : public Cloneable<ActivationLayer, Layer> {
 public:
  Activation activation = Activation::kRelu;

  std::string_view type() const override { return "activation"; }
  void visit(FieldVisitor& v) override { visit_activation(v, activation); }

  Shape plan(Node& node) const override { return node.input; }

  Tensor forward(const Node&, const Pass& pass, Tape& tape) const override {
    const Tensor y = pass.arena->tensor_like(tape.input);
    activate(activation, ConstArrayMap(tape.input.data, y.size()), y.array());
    y.clear_padding();  // sigmoid(0) is not 0
    return y;
  }

  Tensor backward(const Node&, const Pass&, Tape& tape, const Tensor& gradient) const override {
    const Real* kept = keeps_input(activation) ? tape.input.data : tape.output.data;
    activation_backward(activation, ConstArrayMap(kept, gradient.size()), gradient.array());
    return gradient;
  }
};

}  // namespace

std::unique_ptr<Layer> make_activation() { return std::make_unique<ActivationLayer>(); }

}  // namespace ser::nn
