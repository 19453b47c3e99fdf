#include <algorithm>

#include "nn/layers/makers.h"
#include "nn/layers/recurrent.h"

namespace ser::nn {
namespace {

using Units = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;
using ConstUnits = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>;

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
    Real* const scratch = arena.take<Real>(2 * s.units);
    for (Index step = s.steps.count; step-- > 0;) {
      for (Index i = 0; i < s.steps.active(step); ++i) retreat(s, step, i, dy, dstate, scratch);
      if (step > 0)
        multiply_add(transposed, {s.gates, rows, s.at(s.gate_offsets, step)},
                     {dy, s.at(s.previous_hidden, step)});
      gradients.passed(step);
    }
  }

 private:
  static void advance(const Strand& s, Index step, Index i) {
    const Index entry = s.steps.begin[step] + i;
    Real* const gates = s.gates + entry * s.gate_rows;
    Units sigmoids(gates, 3 * s.units), candidate(gates + 3 * s.units, s.units);
    sigmoids = (sigmoids * Real(0.5)).tanh() * Real(0.5) + Real(0.5);
    candidate = candidate.tanh();
    const Units in(gates, s.units), forget(gates + s.units, s.units),
        out(gates + 2 * s.units, s.units);
    Units c = state(s, step, i);
    if (step > 0)
      c = in * candidate + forget * state(s, step - 1, i);
    else
      c = in * candidate;
    Units(s.y.data + s.hidden_offsets[static_cast<std::size_t>(entry)], s.units) = out * c.tanh();
  }

  /// Turns one clip's gates into their gradients. `dstate` comes in as dL/dc_t from the step after
  /// and leaves as dL/dc_(t-1); c gives way to its tanh, for the step after has used it.
  static void retreat(const Strand& s, Index step, Index i, const Real* dy, Real* dstate,
                      Real* scratch) {
    const Index entry = s.steps.begin[step] + i;
    Real* const gates = s.gates + entry * s.gate_rows;
    Units in(gates, s.units), forget(gates + s.units, s.units), out(gates + 2 * s.units, s.units),
        candidate(gates + 3 * s.units, s.units);
    const ConstUnits dh(dy + s.hidden_offsets[static_cast<std::size_t>(entry)], s.units);
    Units c = state(s, step, i), dc(dstate + i * s.units, s.units), carried(scratch, s.units);
    c = c.tanh();
    dc += dh * out * (1 - c.square());
    out = dh * c * out * (1 - out);
    carried = dc * forget;
    if (step > 0)
      forget = carried * (1 - forget) * state(s, step - 1, i);
    else
      forget.setZero();
    Units din(scratch + s.units, s.units);
    din = dc * candidate * in * (1 - in);
    candidate = dc * in * (1 - candidate.square());
    in = din;
    dc = carried;
  }

  static Units state(const Strand& s, Index step, Index i) {
    return {s.state + (s.steps.begin[step] + i) * s.units, s.units};
  }
};

}  // namespace

std::unique_ptr<Layer> make_lstm() { return std::make_unique<Lstm>(); }

}  // namespace ser::nn
