#pragma once

#include "nn/product.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// Some neighbouring units, as many as a register holds: gate math on them stays in registers.
template <int kSize>
struct Lane {
  using Values = Eigen::Array<Real, kSize, 1>;
  Index unit = 0;
  Eigen::Map<Values> operator()(Real* units) const { return Eigen::Map<Values>(units + unit); }
  Eigen::Map<const Values> operator()(const Real* units) const {
    return Eigen::Map<const Values>(units + unit);
  }
};

/// Calls f(lane) for all of `units`, the last ones one by one.
template <typename F>
void for_each_lane(Index units, const F& f) {
  constexpr int kSize = Eigen::internal::packet_traits<Real>::size;
  Index unit = 0;
  for (; unit + kSize <= units; unit += kSize) f(Lane<kSize>{unit});
  for (; unit < units; ++unit) f(Lane<1>{unit});
}

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
struct Strand {
  const Node* node = nullptr;
  std::size_t first_parameter = 0;
  Index units = 0;
  Index gate_rows = 0;
  Steps steps;
  Tensor x;  ///< the level's input
  Tensor y;  ///< the level's output; this direction's rows begin at `row`
  Index row = 0;
  Real* gates = nullptr;  ///< [gate_rows x entries]; backward: dL/dgates before their function
  Real* state = nullptr;  ///< [units x entries]; of the cell's own meaning
  Offsets gate_offsets, state_offsets;    ///< of each entry, in gates and state
  Offsets input_offsets, hidden_offsets;  ///< of each entry, in x and y
  Offsets previous_hidden;  ///< in y, one step before each entry; of no meaning in the first

  const Parameter& input_weight() const { return node->parameters[first_parameter]; }
  const Parameter& recurrent_weight() const { return node->parameters[first_parameter + 1]; }
  const Parameter& bias() const { return node->parameters[first_parameter + 2]; }
  const Parameter& extra_bias() const { return node->parameters[first_parameter + 3]; }

  /// The entries of `step` among `offsets`.
  Offsets at(Offsets offsets, Index step) const {
    return slice(offsets, steps.begin[step], steps.begin[step + 1]);
  }
  static Offsets slice(Offsets offsets, Index begin, Index end) {
    return offsets.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }
};

/// The gates' products with the input, computed for some steps at a time just before they run, so
/// that the gates are still in the cache then.
class InputProducts {
 public:
  InputProducts(const Strand& strand, const Pass& pass);
  void reach(Index step);

 private:
  const Strand& strand_;
  PackedLeft weight_;
  Offsets rows_;
  Index next_ = 0;
};

/// Rows of the recurrent weight and the gradients, by entry, that belong to them.
struct RecurrentPart {
  Index first_row = 0;
  Index rows = 0;
  const Real* data = nullptr;
  Offsets offsets;
};

/// Weight, bias and input gradients, computed for some steps at a time just after dL/dgates are
/// known. Goes through the steps from the last to the first.
class GateGradients {
 public:
  /// dx: receives the input gradient (empty: none wanted); added to what stands there if this is
  /// not the first direction.
  GateGradients(const Strand& strand, const Pass& pass, std::span<const RecurrentPart> parts,
                const Tensor& dx);
  void passed(Index step);

 private:
  void flush(Index first_step);
  void add_weights(Index begin, Index end);

  const Strand& strand_;
  const Pass& pass_;
  std::span<const RecurrentPart> parts_;
  const Tensor& dx_;
  PackedLeft transposed_;
  LeftBuffer buffers_[2];
  Offsets gate_rows_, inputs_, units_, input_columns_, recurrent_columns_;
  Index end_step_;
};

/// What LSTM and GRU have in common: levels, directions, the order of steps, and the products with
/// the input.
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

  /// Runs all steps; strand.y receives the result.
  virtual void run(const Strand& strand, const Pass& pass) const = 0;

  /// Turns strand.gates into dL/dgates, given dL/dy (which it may overwrite), and adds to all
  /// gradients.
  virtual void run_back(const Strand& strand, const Pass& pass, Real* dy,
                        const Tensor& dx) const = 0;

 private:
  int directions() const { return bidirectional ? 2 : 1; }
  std::size_t parameters_each() const { return has_extra_bias() ? 4 : 3; }
  Strand make_strand(const Node& node, const Pass& pass, int level, int direction, const Tensor& x,
                     const Tensor& y) const;
};

}  // namespace ser::nn
