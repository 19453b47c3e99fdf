#include "nn/layers/parts.h"

namespace ser::nn {

void visit_activation(FieldVisitor& visitor, Activation& activation) {
  visitor.choice("activation", activation,
                 {{"none", Activation::kNone}, {"relu", Activation::kRelu}},
                 "Function applied to each output");
}

void visit_initializer(FieldVisitor& visitor, Initializer& initializer) {
  visitor.choice(
      "init", initializer,
      {{"auto", Initializer::kAuto}, {"he", Initializer::kHe}, {"glorot", Initializer::kGlorot}},
      "What draws the first weights; auto: he before relu, else glorot");
}

Parameter make_weight(Initializer initializer, Activation activation, Index rows, Index cols,
                      Index window) {
  const bool he = initializer == Initializer::kHe ||
                  (initializer == Initializer::kAuto && activation == Activation::kRelu);
  Parameter weight{"weight", rows, cols, he ? Init::kHe : Init::kGlorot, true};
  if (initializer == Initializer::kGlorot) weight.fan_out = rows * window;
  return weight;
}

void finish_forward(Activation activation, const Tensor& y) {
  if (activation == Activation::kRelu) y.array() = y.array().max(Real{0});
  y.clear_padding();
}

void begin_backward(Activation activation, const Tensor& output, const Tensor& gradient) {
  if (activation == Activation::kRelu)
    gradient.array() = (output.array() > Real{0}).select(gradient.array(), Real{0});
}

std::string export_product(OnnxGraph& graph, ConstAlignedMap weight, const std::string& x) {
  // Frames are rows there. A matrix as it lies in memory is its transpose in C order.
  return graph.add("MatMul",
                   {x, graph.constant(weight.reshaped(), {weight.cols(), weight.rows()})});
}

std::string export_activation(OnnxGraph& graph, Activation activation, const std::string& x) {
  return activation == Activation::kRelu ? graph.add("Relu", {x}) : x;
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
