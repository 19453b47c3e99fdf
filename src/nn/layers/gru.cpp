#include <algorithm>

#include "nn/layers/makers.h"
#include "nn/layers/recurrent.h"

namespace ser::nn {
namespace {

using Units = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;

/// Gated recurrent unit (Cho et al. 2014, the reset after the product, as cuDNN and PyTorch):
/// r, z = sigmoid(W x_t + U h_(t-1) + b), n = tanh(W x_t + b + r (U h_(t-1) + b_n)),
/// h_t = (1 - z) n + z h_(t-1). Rows of W, U and b: r, z, n. The state kept is U h_(t-1) + b_n of
/// n.
class Gru : public Recurrent {
 public:
  std::string_view type() const override { return "gru"; }
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Gru>(*this); }

 protected:
  int gates() const override { return 3; }
  Init bias_init() const override { return Init::kZeros; }
  bool has_extra_bias() const override { return true; }

  void run(const Strand& s, const Pass& pass) const override {
    Arena& arena = *pass.arena;
    const Real* const weight = pass.value(s.recurrent_weight()).data();
    const Real* const bias = pass.value(s.extra_bias()).data();
    const Offsets columns = evenly(arena, s.units, s.gate_rows), rows = evenly(arena, s.units, 1);
    const PackedLeft gates = pack_left(arena, weight, 2 * s.units, 1, columns);
    const PackedLeft candidate = pack_left(arena, weight + 2 * s.units, s.units, 1, columns, bias);
    InputProducts inputs(s, pass);
    for (Index step = 0; step < s.steps.count; ++step) {
      inputs.reach(step);
      if (step > 0) {
        const Right hidden{s.y.data, rows, s.at(s.previous_hidden, step)};
        multiply_add(gates, hidden, {s.gates, s.at(s.gate_offsets, step)});
        multiply(candidate, hidden, {s.state, s.at(s.state_offsets, step)});
      }
      for (Index i = 0; i < s.steps.active(step); ++i) {
        if (step == 0) std::copy_n(bias, s.units, state(s, step, i).data());
        advance(s, step, i);
      }
    }
  }

  void run_back(const Strand& s, const Pass& pass, Real* dy, const Tensor& dx) const override {
    Arena& arena = *pass.arena;
    const Real* const weight = pass.value(s.recurrent_weight()).data();
    const Offsets rows = evenly(arena, 2 * s.units, 1);
    const Offsets unit_rows = rows.first(static_cast<std::size_t>(s.units));
    const PackedLeft gates = pack_left(arena, weight, s.units, s.gate_rows, rows);
    const PackedLeft candidate =
        pack_left(arena, weight + 2 * s.units, s.units, s.gate_rows, unit_rows);
    const RecurrentPart parts[] = {{0, 2 * s.units, s.gates, s.gate_offsets},
                                   {2 * s.units, s.units, s.state, s.state_offsets}};
    GateGradients gradients(s, pass, parts, dx);
    Real* const scratch = arena.take<Real>(s.units);
    for (Index step = s.steps.count; step-- > 0;) {
      for (Index i = 0; i < s.steps.active(step); ++i) retreat(s, step, i, dy, scratch);
      if (step > 0) {
        const Product earlier{dy, s.at(s.previous_hidden, step)};
        multiply_add(gates, {s.gates, rows, s.at(s.gate_offsets, step)}, earlier);
        multiply_add(candidate, {s.state, unit_rows, s.at(s.state_offsets, step)}, earlier);
      }
      gradients.passed(step);
    }
    auto bias = pass.gradient(s.extra_bias()).col(0).array();
    for (const Index offset : s.state_offsets) bias += Units(s.state + offset, s.units);
  }

 private:
  static void advance(const Strand& s, Index step, Index i) {
    Real* const gates = s.gates + at(s, s.gate_offsets, step, i);
    Units sigmoids(gates, 2 * s.units), n(gates + 2 * s.units, s.units);
    const Units r(gates, s.units), z(gates + s.units, s.units);
    sigmoids = (sigmoids * Real(0.5)).tanh() * Real(0.5) + Real(0.5);
    n = (n + r * state(s, step, i)).tanh();
    Units h(s.y.data + at(s, s.hidden_offsets, step, i), s.units);
    h = n - z * n;
    if (step > 0) h += z * Units(s.y.data + at(s, s.previous_hidden, step, i), s.units);
  }

  /// Turns one clip's gates into their gradients and the state into its own; adds what passes by
  /// the gates to the step before.
  static void retreat(const Strand& s, Index step, Index i, Real* dy, Real* scratch) {
    Real* const gates = s.gates + at(s, s.gate_offsets, step, i);
    Units r(gates, s.units), z(gates + s.units, s.units), n(gates + 2 * s.units, s.units);
    Units product = state(s, step, i), dn(scratch, s.units);
    const Units dh(dy + at(s, s.hidden_offsets, step, i), s.units);
    dn = dh * (1 - z) * (1 - n.square());
    if (step > 0) {
      const Index earlier = at(s, s.previous_hidden, step, i);
      Units(dy + earlier, s.units) += dh * z;
      z = dh * (Units(s.y.data + earlier, s.units) - n) * z * (1 - z);
    } else {
      z = -dh * n * z * (1 - z);
    }
    n = dn;
    dn = n * product * r * (1 - r);  // of the reset gate now
    product = n * r;
    r = dn;
  }

  static Units state(const Strand& s, Index step, Index i) {
    return {s.state + at(s, s.state_offsets, step, i), s.units};
  }
  static Index at(const Strand& s, Offsets offsets, Index step, Index i) {
    return offsets[static_cast<std::size_t>(s.steps.begin[step] + i)];
  }
};

}  // namespace

std::unique_ptr<Layer> make_gru() { return std::make_unique<Gru>(); }

}  // namespace ser::nn
