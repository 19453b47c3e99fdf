#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"
#include "ser/core/rng.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

class Layer;
class OnnxGraph;

/// How a parameter starts.
enum class Init {
  kZeros,
  kOnes,
  kHe,          ///< normal, variance 2 / fan_in (He et al. 2015)
  kGlorot,      ///< uniform, +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)
  kOrthogonal,  ///< orthogonal blocks of `rows` = cols (Saxe et al. 2014)
  kForgetOne,   ///< LSTM bias: zero, but one for the second quarter (Jozefowicz et al. 2015)
};

/// One matrix of numbers that a layer owns, column-major, inside one of the network's flat vectors.
struct Parameter {
  std::string name;
  Index rows = 0;
  Index cols = 0;
  Init init = Init::kZeros;
  bool decays = false;  ///< weight decay applies (weights: yes; biases and scales: no)
  Index fan_out = 0;    ///< for kGlorot; 0: rows
  Index offset = 0;     ///< set by the network

  Index size() const { return rows * cols; }
};

/// A layer put to its place in a network: shapes, and where its numbers stand.
struct Node {
  const Layer* layer = nullptr;
  std::string name;  ///< "0", "3.body.1", ...
  Shape input;
  Shape output;
  std::vector<Parameter> parameters;  ///< trained, in the network's parameter vector
  std::vector<Parameter> state;       ///< running statistics, in the network's state vector
  std::vector<Node> children;         ///< of containers
  std::uint64_t stream = 0;           ///< of the random numbers it draws
};

enum class Mode { kTrain, kInfer };

/// What forward leaves for backward: one a node, reused from step to step.
struct Tape {
  Tensor input;
  Tensor output;
  Arena::Mark begin;            ///< of the arena, before the layer ran
  std::array<void*, 8> kept{};  ///< arena memory, meaning known to the layer alone
  bool owns_input = false;      ///< nobody else reads it: forward may work in place
  bool wants_input_gradient = true;
  std::vector<Tape> children;
};

/// What a pass over one shard works with.
struct Pass {
  Mode mode = Mode::kInfer;
  const Real* parameters = nullptr;
  const Real* state = nullptr;
  Real* gradients = nullptr;  ///< laid out as parameters; backward adds to it
  Real* state_update =
      nullptr;  ///< laid out as state; training forward writes this batch's statistics
  Rng rng{0, 0};
  Arena* arena = nullptr;

  ConstAlignedMap value(const Parameter& p) const {
    return {parameters + p.offset, p.rows, p.cols};
  }
  AlignedMap gradient(const Parameter& p) const { return {gradients + p.offset, p.rows, p.cols}; }
  ConstVectorMap running(const Parameter& p) const { return {state + p.offset, p.rows}; }
  VectorMap update(const Parameter& p) const { return {state_update + p.offset, p.rows}; }
};

/// A layer is options and pure functions: it owns no weights, gradients or cache, so one object
/// serves any number of threads.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual std::string_view type() const = 0;
  virtual void visit(FieldVisitor& visitor) = 0;
  virtual std::unique_ptr<Layer> clone() const = 0;

  /// Output shape for `node.input`; declares parameters, state and children in `node`. The options
  /// are in their ranges. Throws Error if they do not fit the input.
  virtual Shape plan(Node& node) const = 0;

  /// Whether backward reads tape.output; if not, the layer behind may work in place.
  virtual bool reads_output() const { return true; }

  /// Output for tape.input. May keep what backward needs in `tape`. tape.input stays unchanged,
  /// unless the tape owns it.
  virtual Tensor forward(const Node& node, const Pass& pass, Tape& tape) const = 0;

  /// Adds to the parameter gradients and returns dL/dinput, given dL/doutput, which it may
  /// overwrite. If !tape.wants_input_gradient it may return an empty tensor.
  virtual Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                          const Tensor& output_gradient) const = 0;

  /// The layer in inference, added to `graph`: the name of its output for one named `x`. Both are
  /// [clips, frames, rows], no frame of which is padding.
  virtual std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                                const std::string& x) const = 0;
};

/// A row of the layer registry.
struct LayerType {
  std::string_view name;
  std::unique_ptr<Layer> (*make)();
};

/// Every layer a network file can name.
std::span<const LayerType> layer_types();

/// Throws Error, naming the nearest known type, if there is no such layer.
std::unique_ptr<Layer> make_layer(std::string_view type);

/// A list of layers as a field of an option struct.
void visit_layers(FieldVisitor& visitor, std::string_view name, std::vector<Box<Layer>>& layers);

/// The most numbers that the layers of a network leave for one clip, padding of windows included,
/// where its frames are fixed.
inline constexpr Index kMostNumbers = Index{1} << 24;

/// node.layer's plan of the node. Throws Error if its output has more than 2^30 rows or frames.
Shape checked_plan(Node& node);

/// Plans `layers` one after the other as children of `node`, which has its input set; returns the
/// last output shape. `prefix` names them "<prefix>0", "<prefix>1", ...
Shape plan_chain(const std::vector<Box<Layer>>& layers, const std::string& prefix, Shape input,
                 std::vector<Node>& children);

/// Runs a chain planned by `plan_chain`. The tapes are as many as the nodes. If its input's
/// gradient is not wanted, backward_chain ends at the first layer that has parameters. Memory: all
/// outputs while training, of two layers in inference; of one layer's work in backward, which gives
/// back that of the layers behind it where their tapes are not `kept`.
Tensor forward_chain(std::span<const Node> nodes, const Pass& pass, std::span<Tape> tapes,
                     const Tensor& input);
enum class Tapes { kKept, kFreed };
Tensor backward_chain(std::span<const Node> nodes, const Pass& pass, std::span<Tape> tapes,
                      const Tensor& output_gradient, bool wants_input_gradient,
                      Tapes after = Tapes::kKept);

/// Adds a chain to `graph`, as Layer::export_to does.
std::string export_chain(OnnxGraph& graph, std::span<const Node> nodes, const Pass& pass,
                         std::string x);

/// Tapes for a node and all its children.
Tape make_tape(const Node& node);

/// Output = input of another shape with the same memory (reshape, flatten).
Tensor reshaped(const Tensor& tensor, const Shape& shape, Index frames);

}  // namespace ser::nn
