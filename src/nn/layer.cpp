#include "ser/nn/layer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/internal/fail.h"
#include "nn/layers/parts.h"
#include "ser/core/text.h"

namespace ser::nn {
namespace {

constexpr LayerType kLayerTypes[] = {
    {"dense", make_dense},     {"dropout", make_dropout},   {"batch_norm", make_batch_norm},
    {"conv1d", make_conv1d},   {"conv2d", make_conv2d},     {"max_pool", make_max_pool},
    {"lstm", make_lstm},       {"residual", make_residual}, {"attention_pool", make_attention_pool},
    {"reshape", make_reshape}, {"flatten", make_flatten},
};

bool has_parameters(const Node& node) {
  return !node.parameters.empty() ||
         std::any_of(node.children.begin(), node.children.end(), has_parameters);
}

}  // namespace

std::span<const LayerType> layer_types() { return kLayerTypes; }

std::unique_ptr<Layer> make_layer(std::string_view type) {
  std::vector<std::string_view> names;
  for (const LayerType& entry : kLayerTypes) {
    if (entry.name == type) return entry.make();
    names.push_back(entry.name);
  }
  fail("unknown layer '{}'{}; known: {}", type, did_you_mean(type, names), fmt::join(names, ", "));
}

void visit_layers(FieldVisitor& visitor, std::string_view name, std::vector<Box<Layer>>& layers) {
  BoxList<Layer, decltype(&make_layer)> list(layers, &make_layer);
  visitor.list(name, list);
}

Shape checked_plan(Node& node) {
  constexpr Index kMost = Index{1} << 30;
  const Shape output = node.layer->plan(node);
  if (output.rows() > kMost || output.frames > kMost)
    fail("expected at most {} rows and frames, found {}", kMost, to_string(output));
  return output;
}

Shape plan_chain(const std::vector<Box<Layer>>& layers, const std::string& prefix, Shape input,
                 std::vector<Node>& children) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Node node;
    node.layer = &*layers[i];
    node.name = fmt::format("{}{}", prefix, i);
    node.input = input;
    node.output = with_context(fmt::format("layer {} ({})", node.name, node.layer->type()),
                               [&] { return checked_plan(node); });
    input = node.output;
    children.push_back(std::move(node));
  }
  return input;
}

Tensor forward_chain(std::span<const Node> nodes, const Pass& pass, std::span<Tape> tapes,
                     const Tensor& input) {
  const Arena::Mark floor = pass.arena->mark();
  Tensor current = input;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (pass.mode == Mode::kInfer && i > 0) current = pass.arena->keep(floor, current);
    tapes[i].begin = pass.arena->mark();
    tapes[i].owns_input = i > 0 && !nodes[i - 1].layer->reads_output();
    tapes[i].input = current;
    tapes[i].output = current = nodes[i].layer->forward(nodes[i], pass, tapes[i]);
  }
  return current;
}

Tensor backward_chain(std::span<const Node> nodes, const Pass& pass, std::span<Tape> tapes,
                      const Tensor& output_gradient, bool wants_input_gradient, Tapes after) {
  const auto learning = std::find_if(nodes.begin(), nodes.end(), has_parameters);
  const auto last = wants_input_gradient ? 0 : static_cast<std::size_t>(learning - nodes.begin());
  const Arena::Mark floor = pass.arena->mark();
  Tensor gradient = output_gradient;
  for (std::size_t i = nodes.size(); i-- > last;) {
    tapes[i].wants_input_gradient = wants_input_gradient || i > last;
    const Tensor dx = nodes[i].layer->backward(nodes[i], pass, tapes[i], gradient);
    gradient = pass.arena->keep(after == Tapes::kFreed ? tapes[i].begin : floor, dx);
  }
  return gradient;
}

std::string export_chain(OnnxGraph& graph, std::span<const Node> nodes, const Pass& pass,
                         std::string x) {
  for (const Node& node : nodes) x = node.layer->export_to(graph, node, pass, x);
  return x;
}

Tape make_tape(const Node& node) {
  Tape tape;
  for (const Node& child : node.children) tape.children.push_back(make_tape(child));
  return tape;
}

Tensor reshaped(const Tensor& tensor, const Shape& shape, Index frames) {
  Tensor result = tensor;
  result.shape = shape;
  result.frames = frames;
  result.lengths = nullptr;
  return result;
}

}  // namespace ser::nn
