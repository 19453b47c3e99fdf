#include "nn/layers/onnx_nodes.h"

namespace ser::nn {

std::string export_product(OnnxGraph& graph, ConstAlignedMap weight, const std::string& x) {
  // Frames are rows there. A matrix as it lies in memory is its transpose in C order.
  return graph.add("MatMul",
                   {x, graph.constant(weight.reshaped(), {weight.cols(), weight.rows()})});
}

std::string export_activation(OnnxGraph& graph, Activation activation, const std::string& x) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return graph.add("Relu", {x});
    case Activation::kTanh:
      return graph.add("Tanh", {x});
    case Activation::kSigmoid:
      return graph.add("Sigmoid", {x});
    case Activation::kSilu:
      return graph.add("Mul", {x, graph.add("Sigmoid", {x})});
  }
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
