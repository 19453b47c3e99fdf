#pragma once

#include "nn/product.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// The order in which one direction visits the columns of a batch, all clips side by side: longest
/// first, so the clips that still run at a step are the first ones of the step before.
struct Steps {
  Index count = 0;
  const Index* begin = nullptr;    ///< of each step's entries; count + 1 of them
  const Index* columns = nullptr;  ///< entry by entry: clip * frames + frame
  Index entries() const { return begin[count]; }
  Index active(Index step) const { return begin[step + 1] - begin[step]; }
};

/// One direction of one level at work. All tensors are laid out as the input: one column a frame.
struct Strand {
  const Node* node = nullptr;
  std::size_t first_parameter = 0;
  Index units = 0;
  Index gate_rows = 0;
  Steps steps;
  Tensor x;  ///< the level's input
  Tensor y;  ///< the level's output; this direction's rows begin at `row`
  Index row = 0;
  Real* gates = nullptr;  ///< [gate_rows x columns]; backward: dL/dgates before their function
  Real* state = nullptr;  ///< [units x columns]; of the cell's own meaning
  Offsets gate_offsets, state_offsets, hidden_offsets;  ///< of each entry
  Offsets previous_hidden;  ///< of each entry from the second step on, one step before

  const Parameter& input_weight() const { return node->parameters[first_parameter]; }
  const Parameter& recurrent_weight() const { return node->parameters[first_parameter + 1]; }
  const Parameter& bias() const { return node->parameters[first_parameter + 2]; }
  const Parameter& extra_bias() const { return node->parameters[first_parameter + 3]; }
  /// The part of `offsets` that belongs to `step`'s first `count` entries.
  Offsets at(Offsets offsets, Index step, Index count) const {
    return offsets.subspan(static_cast<std::size_t>(steps.begin[step]),
                           static_cast<std::size_t>(count));
  }
  Offsets at(Offsets offsets, Index step) const { return at(offsets, step, steps.active(step)); }
  /// Of the step before, for the clips that run at `step`.
  Offsets before(Offsets offsets, Index step) const {
    return at(offsets, step - 1, steps.active(step));
  }
};

/// What LSTM and GRU have in common: levels, directions, the products with the input, and the order
/// of steps. The products with the input take all time steps at once; so do the weight gradients.
class Recurrent : public Layer {
 public:
  int units = 128;
  bool bidirectional = false;
  int layers = 1;
  double dropout = 0;

  void visit(FieldVisitor& v) override;
  Shape plan(Node& node) const override;
  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override;
  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override;

 protected:
  virtual int gates() const = 0;
  virtual Init bias_init() const = 0;
  virtual bool has_extra_bias() const = 0;

  /// Runs all steps: strand.gates hold the products with the input, strand.y receives the result.
  virtual void run(const Strand& strand, const Pass& pass) const = 0;

  /// Turns strand.gates into dL/dgates, given dL/dy (which it may overwrite), and adds to the
  /// gradients of the recurrent weight (and of the extra bias).
  virtual void run_back(const Strand& strand, const Pass& pass, Real* dy) const = 0;

 private:
  int directions() const { return bidirectional ? 2 : 1; }
  std::size_t parameters_each() const { return has_extra_bias() ? 4 : 3; }
  Strand start_strand(const Node& node, const Pass& pass, int level, int direction, const Tensor& x,
                      const Tensor& y) const;
  void end_strand(const Strand& strand, const Pass& pass, const Tensor* dx, bool adds) const;
};

}  // namespace ser::nn
