#pragma once

#include <string>
#include <vector>

#include "ser/nn/layer.h"

namespace ser::nn {

/// The layers between a network's input and its logits.
struct NetworkOptions {
  std::vector<Box<Layer>> layers;
  void visit(FieldVisitor& v) { visit_layers(v, "layers", layers); }
};

/// Scratch for one shard at a time: activations, gradients, batch statistics. Belongs to a unit of
/// work, never to a thread.
struct Workspace {
  Arena arena;
  std::vector<Tape> tapes;
  Vector gradients;
  Vector state_update;
};

/// A chain of layers that ends in a dense layer of logits. It owns one flat vector of trained
/// parameters and one of running statistics; each matrix in them starts on kAlignment and the gaps
/// stay zero, so optimizers, averages, files and sums treat them as plain vectors.
class Network {
 public:
  /// max_parameters: more trained numbers are refused before memory is taken.
  /// Throws Error if a layer does not fit its input, or frames are left at the end.
  Network(const NetworkOptions& options, const Shape& input, int outputs,
          Index max_parameters = Index{1} << 28);
  Network(const Network& other);
  Network& operator=(Network other) noexcept;
  Network(Network&&) noexcept = default;

  /// Draws the initial parameters; each from a stream of its own.
  void initialize(const Rng& rng);

  const NetworkOptions& options() const { return options_; }
  const Shape& input() const { return input_; }
  int outputs() const { return outputs_; }
  const std::vector<Node>& nodes() const { return nodes_; }

  Vector& parameters() { return parameters_; }
  const Vector& parameters() const { return parameters_; }
  Vector& state() { return state_; }
  const Vector& state() const { return state_; }

  /// Every trained matrix, then every running one, with its full name ("0.weight", "output.bias").
  std::vector<Parameter> named_parameters() const;
  std::vector<Parameter> named_state() const;
  /// Trained numbers, without the gaps.
  Index parameter_count() const;
  /// One where weight decay applies, else zero; laid out as parameters().
  Vector decay_mask() const;

  Workspace make_workspace() const;

  /// Logits [outputs x clips] for input [rows x frames * clips] that lives in workspace.arena.
  Tensor forward(Workspace& workspace, const Tensor& input, Mode mode, const Rng& rng) const;

  /// Adds inference to `graph`: the name of the logits, [clips, outputs], of an input named `x`,
  /// [clips, frames, rows].
  std::string export_to(OnnxGraph& graph, const std::string& x) const;

  /// Writes workspace.gradients for the forward just run in kTrain, whose outputs are gone then.
  void backward(Workspace& workspace, const Tensor& logits_gradient, const Rng& rng) const;

  /// Moves the running statistics towards those of a shard: state += momentum (update - state).
  void apply_state_update(const Vector& update, double momentum);

 private:
  Pass make_pass(Workspace& workspace, Mode mode, const Rng& rng) const;
  void plan(Index max_parameters);

  NetworkOptions options_;
  Shape input_;
  int outputs_;
  Box<Layer> output_layer_;
  std::vector<Node> nodes_;
  Vector parameters_;
  Vector state_;
};

}  // namespace ser::nn
