#include "nn/internal/onnx_graph.h"

#include <fmt/format.h>

#include <span>

namespace ser::nn {
namespace {

// What is used of the format: the fields of its messages and the codes of its types
// (https://onnx.ai/onnx/repo-docs/IR.html).
enum ModelField { kIrVersion = 1, kProducer = 2, kGraph = 7, kOperatorSets = 8, kMetadata = 14 };
enum OperatorSetField { kSetVersion = 2 };
enum EntryField { kKey = 1, kValue = 2 };
enum GraphField { kNodes = 1, kGraphName = 2, kTensors = 5, kInputs = 11, kOutputs = 12 };
enum NodeField { kNodeInputs = 1, kNodeOutputs = 2, kNodeName = 3, kOperator = 4, kAttributes = 5 };
enum AttributeField {
  kAttributeName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kInts = 8,
  kAttributeType = 20
};
enum AttributeType : int { kFloatType = 1, kIntType = 2, kStringType = 3, kIntsType = 7 };
enum TensorField { kSizes = 1, kElements = 2, kTensorName = 8, kRawData = 9 };
enum ElementType { kFloat32 = 1, kInt64 = 7 };
enum ValueField { kValueName = 1, kType = 2 };
enum TypeField { kTensorType = 1 };
enum TensorTypeField { kElementType = 1, kShape = 2 };
enum ShapeField { kAxis = 1 };
enum AxisField { kAxisSize = 1, kAxisName = 2 };

constexpr int kFormatVersion = 5, kOperatorSetVersion = 10;

/// An input or output of the graph.
ProtobufMessage described(std::string_view name, const std::vector<OnnxGraph::Axis>& axes) {
  ProtobufMessage shape;
  for (const OnnxGraph::Axis& axis : axes) {
    ProtobufMessage field;
    if (const auto* size = std::get_if<std::int64_t>(&axis))
      field.add(kAxisSize, *size);
    else
      field.add(kAxisName, std::get<std::string>(axis));
    shape.add(kAxis, field);
  }
  const auto tensor = ProtobufMessage().add(kElementType, kFloat32).add(kShape, shape);
  return ProtobufMessage()
      .add(kValueName, name)
      .add(kType, ProtobufMessage().add(kTensorType, tensor));
}

ProtobufMessage written(const OnnxGraph::Attribute& attribute) {
  ProtobufMessage message;
  message.add(kAttributeName, attribute.first);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.second))
    return message.add(kInt, *number).add(kAttributeType, kIntType);
  if (const auto* number = std::get_if<float>(&attribute.second))
    return message.add(kFloat, *number).add(kAttributeType, kFloatType);
  if (const auto* text = std::get_if<std::string>(&attribute.second))
    return message.add(kString, *text).add(kAttributeType, kStringType);
  for (const std::int64_t number : std::get<OnnxGraph::Sizes>(attribute.second))
    message.add(kInts, number);
  return message.add(kAttributeType, kIntsType);
}

template <typename Numbers>
std::string_view bytes_of(const Numbers& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers.data(), numbers.size()));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string OnnxGraph::next_name(std::string_view kind) {
  return fmt::format("{}_{}", kind, names_++);
}

void OnnxGraph::add_input(std::string_view name, const std::vector<Axis>& axes) {
  graph_.add(kInputs, described(name, axes));
}

void OnnxGraph::add_output(std::string_view name, const std::vector<Axis>& axes) {
  graph_.add(kOutputs, described(name, axes));
}

void OnnxGraph::add_metadata(std::string_view key, std::string_view value) {
  metadata_.add(kMetadata, ProtobufMessage().add(kKey, key).add(kValue, value));
}

std::string OnnxGraph::add_constant(int type, const Sizes& sizes, std::string_view bytes) {
  std::string name = next_name("constant");
  ProtobufMessage tensor;
  for (const std::int64_t size : sizes) tensor.add(kSizes, size);
  graph_.add(kTensors, tensor.add(kElements, type).add(kTensorName, name).add(kRawData, bytes));
  return name;
}

std::string OnnxGraph::constant(const Vector& values, const Sizes& sizes) {
  return add_constant(kFloat32, sizes, bytes_of(Eigen::VectorXf(values.cast<float>())));
}

std::string OnnxGraph::constant(const Sizes& values) {
  std::string& name = lists_[values];
  if (name.empty())
    name = add_constant(kInt64, {static_cast<std::int64_t>(values.size())}, bytes_of(values));
  return name;
}

std::string OnnxGraph::add(std::string_view op, const std::vector<std::string>& inputs,
                           const std::vector<Attribute>& attributes, const std::string& output) {
  std::string name = output.empty() ? next_name(op) : output;
  ProtobufMessage node;
  for (const std::string& input : inputs) node.add(kNodeInputs, input);
  node.add(kNodeOutputs, name).add(kNodeName, name).add(kOperator, op);
  for (const Attribute& attribute : attributes) node.add(kAttributes, written(attribute));
  graph_.add(kNodes, node);
  return name;
}

std::string OnnxGraph::reshape(const std::string& x, const Sizes& sizes) {
  return add("Reshape", {x, constant(sizes)});
}

std::string OnnxGraph::transpose(const std::string& x, const Sizes& axes) {
  return add("Transpose", {x}, {{"perm", axes}});
}

std::string OnnxGraph::slice(const std::string& x, std::int64_t axis, std::int64_t begin,
                             std::int64_t end) {
  return add("Slice", {x, constant(Sizes{begin}), constant(Sizes{end}), constant(Sizes{axis})});
}

std::string OnnxGraph::file() const {
  const auto head = ProtobufMessage()
                        .add(kIrVersion, kFormatVersion)
                        .add(kProducer, "ser")
                        .add(kOperatorSets, ProtobufMessage().add(kSetVersion, kOperatorSetVersion))
                        .add(kGraph, ProtobufMessage(graph_).add(kGraphName, "ser"));
  return head.bytes() + metadata_.bytes();
}

}  // namespace ser::nn
