#pragma once

#include "nn/layers/parts.h"
#include "nn/product.h"

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

/// One direction of one level at work. The tensors x and y have one column a frame, clip after
/// clip; what the cell keeps has one column an entry, step after step, so that it is read as a
/// stream.
struct Sweep {
  const Node* node = nullptr;
  std::size_t first_parameter = 0;
  Index units = 0;
  Index gate_rows = 0;
  Steps steps;
  Tensor x;  ///< the level's input
  Tensor y;  ///< the level's output; this direction's rows begin at `row`
  Index row = 0;
  Real* gates = nullptr;  ///< [gate_rows x entries]; backward: dL/dgates before their function
  Real* state = nullptr;  ///< [units x entries]
  Offsets gate_offsets, state_offsets;    ///< of each entry, in gates and state
  Offsets input_offsets, hidden_offsets;  ///< of each entry, in x and y
  Offsets previous_hidden;  ///< in y, one step before each entry; of no meaning in the first

  const Parameter& input_weight() const { return node->parameters[first_parameter]; }
  const Parameter& recurrent_weight() const { return node->parameters[first_parameter + 1]; }
  const Parameter& bias() const { return node->parameters[first_parameter + 2]; }

  /// The entries of `step` among `offsets`.
  Offsets at(Offsets offsets, Index step) const {
    return slice(offsets, steps.begin[step], steps.begin[step + 1]);
  }
  static Offsets slice(Offsets offsets, Index begin, Index end) {
    return offsets.subspan(begin, end - begin);
  }
};

enum class Direction { kForward, kBackward };

/// The order in which `direction` visits the frames of x.
Steps make_steps(Arena& arena, const Tensor& x, Direction direction);

/// column * step + shift for each entry.
Offsets scaled(Arena& arena, const Steps& steps, Index step, Index shift = 0);

/// For each entry, what `offsets` holds for the same clip one step before (first step: zero).
Offsets one_step_before(Arena& arena, const Steps& steps, Offsets offsets);

/// The gates' products with the input, computed for some steps at a time just before they run, so
/// that the gates are still in the cache then.
class InputProducts {
 public:
  InputProducts(const Sweep& sweep, const Pass& pass);
  void reach(Index step);

 private:
  const Sweep& sweep_;
  PackedLeft weight_;
  Offsets rows_;
  Index next_ = 0;
};

/// Weight, bias and input gradients, computed for some steps at a time just after dL/dgates are
/// known. Goes through the steps from the last to the first.
class GateGradients {
 public:
  /// dx: receives the input gradient (empty: none wanted); added to what stands there if this is
  /// not the first direction.
  GateGradients(const Sweep& sweep, const Pass& pass, const Tensor& dx);
  void passed(Index step);

 private:
  void flush(Index first_step);
  void add_weights(Index begin, Index end);

  const Sweep& sweep_;
  const Pass& pass_;
  const Tensor& dx_;
  PackedLeft transposed_;
  LeftBuffer buffer_;
  Offsets gate_rows_, inputs_, units_, input_columns_, recurrent_columns_;
  Index end_step_;
};

}  // namespace ser::nn
