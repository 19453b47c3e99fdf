#include "ser/nn/network.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/internal/fail.h"
#include "nn/internal/onnx_graph.h"
#include "nn/layers/parts.h"

namespace ser::nn {
namespace {

/// Calls f(node) for every node, parents first, in layer order.
template <typename NodeVector, typename F>
void for_each_node(NodeVector& nodes, const F& f) {
  for (auto& node : nodes) {
    f(node);
    for_each_node(node.children, f);
  }
}

std::vector<Parameter> with_full_names(const std::vector<Node>& nodes,
                                       std::vector<Parameter> Node::*list) {
  std::vector<Parameter> result;
  for_each_node(nodes, [&](const Node& node) {
    for (Parameter parameter : node.*list) {
      parameter.name = node.name + "." + parameter.name;
      result.push_back(std::move(parameter));
    }
  });
  return result;
}

/// The columns of a square Gaussian matrix made orthonormal one after the other (Gram-Schmidt, each
/// projection taken twice, which is as exact as it gets: Giraud et al. 2005).
Matrix random_orthogonal(Index size, Rng& rng) {
  Eigen::MatrixXd q(size, size);
  for (Index i = 0; i < q.size(); ++i) q.data()[i] = rng.normal();
  for (Index i = 0; i < size; ++i) {
    for (int pass = 0; pass < 2; ++pass)
      for (Index j = 0; j < i; ++j) q.col(i) -= q.col(j).dot(q.col(i)) * q.col(j);
    q.col(i).normalize();
  }
  return q.cast<Real>();
}

void draw(const Parameter& p, Rng rng, AlignedMap value) {
  const auto fan_in = static_cast<double>(p.cols);
  switch (p.init) {
    case Init::kZeros:
      value.setZero();
      break;
    case Init::kOnes:
      value.setOnes();
      break;
    case Init::kHe:
      for (Index i = 0; i < p.size(); ++i)
        value.data()[i] = static_cast<Real>(rng.normal() * std::sqrt(2 / fan_in));
      break;
    case Init::kGlorot: {
      const double fan_out = p.fan_out > 0 ? p.fan_out : p.rows;
      const double bound = std::sqrt(6 / (fan_in + fan_out));
      for (Index i = 0; i < p.size(); ++i)
        value.data()[i] = static_cast<Real>(rng.uniform(-bound, bound));
      break;
    }
    case Init::kOrthogonal:
      for (Index row = 0; row < p.rows; row += p.cols)
        value.middleRows(row, p.cols) = random_orthogonal(p.cols, rng);
      break;
    case Init::kForgetOne:
      value.setZero();
      value.middleRows(p.rows / 4, p.rows / 4).setOnes();
      break;
  }
}

/// Throws Error if a clip's activations would take more memory than any sensible network needs. A
/// layer keeps its output and, at most, a number for each row of its matrices.
void check_size(const std::vector<Node>& nodes) {
  constexpr Index kMostPerFrame = Index{1} << 18;
  Index per_frame = 0, numbers = 0;
  for_each_node(nodes, [&](const Node& node) {
    Index rows = node.output.rows();
    for (const Parameter& p : node.parameters) rows += p.rows;
    const Index frames = std::max(node.input.frames, node.output.frames);
    if (frames == 0)
      per_frame = std::min(kMostPerFrame + 1, per_frame + rows);
    else
      numbers = rows > kMostNumbers / frames ? kMostNumbers + 1
                                             : std::min(kMostNumbers + 1, numbers + rows * frames);
  });
  if (per_frame > kMostPerFrame) fail("network: more than {} numbers a frame", kMostPerFrame);
  if (numbers > kMostNumbers) fail("network: more than {} numbers a clip", kMostNumbers);
}

}  // namespace

Network::Network(const NetworkOptions& options, const Shape& input, int outputs,
                 Index max_parameters)
    : options_(options), input_(input), outputs_(outputs) {
  if (outputs < 1) fail("network: expected at least one class");
  output_layer_ = make_output_layer(outputs);
  check_ranges(options_);
  plan(max_parameters);
}

Network::Network(const Network& other)
    : options_(other.options_),
      input_(other.input_),
      outputs_(other.outputs_),
      output_layer_(other.output_layer_) {
  plan(other.parameters_.size() + other.state_.size());
  parameters_ = other.parameters_;
  state_ = other.state_;
}

Network& Network::operator=(Network other) noexcept {
  std::swap(options_, other.options_);
  std::swap(input_, other.input_);
  std::swap(outputs_, other.outputs_);
  std::swap(output_layer_, other.output_layer_);
  std::swap(nodes_, other.nodes_);
  std::swap(parameters_, other.parameters_);
  std::swap(state_, other.state_);
  return *this;
}

void Network::plan(Index max_parameters) {
  const Shape last = plan_chain(options_.layers, "", input_, nodes_);
  if (last.frames != 1)
    fail(
        "network: the last layer leaves frames {}; end with a pooling over time or a flatten layer",
        to_string(last));
  Node output;
  output.layer = &*output_layer_;
  output.name = "output";
  output.input = last;
  output.output = checked_plan(output);
  nodes_.push_back(std::move(output));

  check_size(nodes_);
  Index parameters = 0, state = 0, numbers = 0;
  std::uint64_t stream = 0;
  const auto place = [&](Parameter& p, Index& end) {
    // A hostile file may ask for sizes whose product overflows, so it is not formed.
    if (p.cols > 0 && p.rows > (max_parameters - numbers) / p.cols)
      fail("network: more than {} parameters", max_parameters);
    numbers += p.size();
    p.offset = end;
    end += aligned_count(p.size());
  };
  for_each_node(nodes_, [&](Node& node) {
    node.stream = stream++;
    for (Parameter& p : node.parameters) place(p, parameters);
    for (Parameter& p : node.state) place(p, state);
  });
  parameters_ = Vector::Zero(parameters);
  state_ = Vector::Zero(state);
}

void Network::initialize(const Rng& rng) {
  std::uint64_t index = 0;
  for (const Parameter& p : named_parameters())
    draw(p, rng.fork(index++), AlignedMap(parameters_.data() + p.offset, p.rows, p.cols));
  for (const Parameter& p : named_state())
    draw(p, rng.fork(index++), AlignedMap(state_.data() + p.offset, p.rows, p.cols));
}

std::vector<Parameter> Network::named_parameters() const {
  return with_full_names(nodes_, &Node::parameters);
}

std::vector<Parameter> Network::named_state() const {
  return with_full_names(nodes_, &Node::state);
}

Index Network::parameter_count() const {
  Index count = 0;
  for (const Parameter& p : named_parameters()) count += p.size();
  return count;
}

Vector Network::decay_mask() const {
  Vector mask = Vector::Zero(parameters_.size());
  for (const Parameter& p : named_parameters())
    if (p.decays) mask.segment(p.offset, p.size()).setOnes();
  return mask;
}

Workspace Network::make_workspace() const {
  Workspace workspace;
  for (const Node& node : nodes_) workspace.tapes.push_back(make_tape(node));
  return workspace;
}

Pass Network::make_pass(Workspace& workspace, Mode mode, const Rng& rng) const {
  Pass pass;
  pass.mode = mode;
  pass.parameters = parameters_.data();
  pass.state = state_.data();
  pass.gradients = workspace.gradients.data();
  pass.state_update = workspace.state_update.data();
  pass.rng = rng;
  pass.arena = &workspace.arena;
  return pass;
}

Tensor Network::forward(Workspace& workspace, const Tensor& input, Mode mode,
                        const Rng& rng) const {
  if (mode == Mode::kTrain) workspace.state_update = state_;
  return forward_chain(nodes_, make_pass(workspace, mode, rng), workspace.tapes, input);
}

std::string Network::export_to(OnnxGraph& graph, const std::string& x) const {
  Pass pass;
  pass.parameters = parameters_.data();
  pass.state = state_.data();
  return graph.reshape(export_chain(graph, nodes_, pass, x), {0, -1});
}

void Network::backward(Workspace& workspace, const Tensor& logits_gradient, const Rng& rng) const {
  workspace.gradients.setZero(parameters_.size());
  backward_chain(nodes_, make_pass(workspace, Mode::kTrain, rng), workspace.tapes, logits_gradient,
                 false, Tapes::kFreed);
}

void Network::apply_state_update(const Vector& update, double momentum) {
  state_ += static_cast<Real>(momentum) * (update - state_);
}

}  // namespace ser::nn
