#include <algorithm>

#include "nn/layers/makers.h"
#include "nn/layers/recurrent.h"

namespace ser::nn {
namespace {

/// Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates: Gers et al. 2000):
/// c_t = f c_(t-1) + i g, h_t = o tanh(c_t); gates i, f, o = sigmoid and g = tanh of
/// W x_t + U h_(t-1) + b. Rows of W, U and b: i, f, o, g. The state kept is c.
class Lstm : public Recurrent {
 public:
  std::string_view type() const override { return "lstm"; }
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Lstm>(*this); }

 protected:
  int gates() const override { return 4; }
  Init bias_init() const override { return Init::kForgetOne; }
  bool has_extra_bias() const override { return false; }

  void run(const Strand& s, const Pass& pass) const override {
    Arena& arena = *pass.arena;
    const PackedLeft recurrent = pack_left(arena, pass.value(s.recurrent_weight()).data(),
                                           s.gate_rows, 1, evenly(arena, s.units, s.gate_rows));
    const Offsets rows = evenly(arena, s.units, 1);
    InputProducts inputs(s, pass);
    for (Index step = 0; step < s.steps.count; ++step) {
      inputs.reach(step);
      if (step > 0)
        multiply_add(recurrent, {s.y.data, rows, s.at(s.previous_hidden, step)},
                     {s.gates, s.at(s.gate_offsets, step)});
      for (Index i = 0; i < s.steps.active(step); ++i) advance(s, step, i);
    }
  }

  void run_back(const Strand& s, const Pass& pass, Real* dy, const Tensor& dx) const override {
    Arena& arena = *pass.arena;
    const PackedLeft transposed = pack_left(arena, pass.value(s.recurrent_weight()).data(), s.units,
                                            s.gate_rows, evenly(arena, s.gate_rows, 1));
    const Offsets rows = evenly(arena, s.gate_rows, 1);
    const RecurrentPart whole{0, s.gate_rows, s.gates, s.gate_offsets};
    GateGradients gradients(s, pass, {&whole, 1}, dx);
    Real* const dstate = arena.take<Real>(s.units * s.steps.active(0));
    std::fill_n(dstate, s.units * s.steps.active(0), Real{0});
    for (Index step = s.steps.count; step-- > 0;) {
      for (Index i = 0; i < s.steps.active(step); ++i)
        retreat(s, step, i, dy, dstate + i * s.units);
      if (step > 0)
        multiply_add(transposed, {s.gates, rows, s.at(s.gate_offsets, step)},
                     {dy, s.at(s.previous_hidden, step)});
      gradients.passed(step);
    }
  }

 private:
  /// Where one clip's numbers of one step stand.
  struct Cell {
    Cell(const Strand& s, Index step, Index i)
        : entry(s.steps.begin[step] + i),
          in(s.gates + entry * s.gate_rows),
          forget(in + s.units),
          out(forget + s.units),
          candidate(out + s.units),
          c(s.state + entry * s.units),
          before(step == 0 ? nullptr : s.state + (s.steps.begin[step - 1] + i) * s.units),
          hidden(s.hidden_offsets[static_cast<std::size_t>(entry)]) {}
    Index entry;
    Real *in, *forget, *out, *candidate, *c;
    const Real* before;  ///< c of the step before; null in the first
    Index hidden;
  };

  static void advance(const Strand& s, Index step, Index i) {
    const Cell cell(s, step, i);
    for_each_lane(s.units, [&]<int kSize>(Lane<kSize> lane) {
      using Values = typename Lane<kSize>::Values;
      const auto sigmoid = [&](Real* gate) {
        const Values half = lane(gate) * Real(0.5);
        return Values(lane(gate) = half.tanh() * Real(0.5) + Real(0.5));
      };
      const Values in = sigmoid(cell.in), forget = sigmoid(cell.forget), out = sigmoid(cell.out);
      const Values candidate = Values(lane(cell.candidate)).tanh();
      Values c = in * candidate;
      if (cell.before) c += forget * lane(cell.before);
      lane(cell.candidate) = candidate;
      lane(cell.c) = c;
      lane(s.y.data + cell.hidden) = out * c.tanh();
    });
  }

  /// Turns one clip's gates into their gradients. `dstate` comes in as what dL/dc_t gets from the
  /// step after, and leaves as what dL/dc_(t-1) gets from this one.
  static void retreat(const Strand& s, Index step, Index i, const Real* dy, Real* dstate) {
    const Cell cell(s, step, i);
    for_each_lane(s.units, [&]<int kSize>(Lane<kSize> lane) {
      using Values = typename Lane<kSize>::Values;
      const Values in = lane(cell.in), forget = lane(cell.forget), out = lane(cell.out);
      const Values candidate = lane(cell.candidate), dh = lane(dy + cell.hidden);
      const Values squashed = Values(lane(cell.c)).tanh();
      const Values dc = lane(dstate) + dh * out * (1 - squashed.square());
      const Values carried = dc * forget;
      lane(cell.in) = dc * candidate * in * (1 - in);
      lane(cell.out) = dh * squashed * out * (1 - out);
      lane(cell.candidate) = dc * in * (1 - candidate.square());
      lane(dstate) = carried;
      if (cell.before)
        lane(cell.forget) = carried * (1 - forget) * lane(cell.before);
      else
        lane(cell.forget).setZero();
    });
  }
};

}  // namespace

std::unique_ptr<Layer> make_lstm() { return std::make_unique<Lstm>(); }

}  // namespace ser::nn
