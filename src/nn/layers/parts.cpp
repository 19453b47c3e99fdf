#include "nn/layers/parts.h"

namespace ser::nn {

void visit_initializer(FieldVisitor& visitor, Initializer& initializer) {
  visitor.choice(
      "init", initializer,
      {{"auto", Initializer::kAuto}, {"he", Initializer::kHe}, {"glorot", Initializer::kGlorot}},
      "What draws the first weights; auto: he before relu and silu, else glorot");
}

Parameter make_weight(Initializer initializer, Activation activation, Index rows, Index cols,
                      Index window) {
  const bool rectified = activation == Activation::kRelu || activation == Activation::kSilu;
  const bool he =
      initializer == Initializer::kHe || (initializer == Initializer::kAuto && rectified);
  Parameter weight{"weight", rows, cols, he ? Init::kHe : Init::kGlorot, true};
  if (initializer == Initializer::kGlorot) weight.fan_out = rows * window;
  return weight;
}

void finish_forward(Activation activation, const Pass& pass, const Tensor& y, void*& kept) {
  if (keeps_input(activation)) {
    const Tensor z = pass.arena->tensor_like(y);
    z.array() = y.array();
    kept = z.data;
  }
  activate(activation, ConstArrayMap(y.data, y.size()), y.array());
  y.clear_padding();
}

void begin_backward(Activation activation, const void* kept, const Tensor& output,
                    const Tensor& gradient) {
  const Real* const from = keeps_input(activation) ? static_cast<const Real*>(kept) : output.data;
  activation_backward(activation, ConstArrayMap(from, gradient.size()), gradient.array());
}

std::string export_product(OnnxGraph& graph, ConstAlignedMap weight, const std::string& x) {
  // Frames are rows there. A matrix as it lies in memory is its transpose in C order.
  return graph.add("MatMul",
                   {x, graph.constant(weight.reshaped(), {weight.cols(), weight.rows()})});
}

std::string export_activation(OnnxGraph& graph, Activation activation, const std::string& x) {
  if (activation == Activation::kRelu) return graph.add("Relu", {x});
  if (activation == Activation::kTanh) return graph.add("Tanh", {x});
  if (activation == Activation::kSigmoid) return graph.add("Sigmoid", {x});
  if (activation == Activation::kSilu) return graph.add("Mul", {x, graph.add("Sigmoid", {x})});
  return x;
}

std::string export_image(OnnxGraph& graph, std::string_view op, const std::string& x,
                         const Shape& input, const std::vector<std::string>& factors,
                         const std::vector<OnnxGraph::Attribute>& attributes) {
  const std::string frames = graph.reshape(x, {0, 0, input.bands, input.channels});
  std::vector<std::string> inputs = {graph.transpose(frames, {0, 3, 2, 1})};
  inputs.insert(inputs.end(), factors.begin(), factors.end());
  const std::string y = graph.add(op, inputs, attributes);
  return graph.reshape(graph.transpose(y, {0, 3, 2, 1}), {0, 0, -1});
}

}  // namespace ser::nn
