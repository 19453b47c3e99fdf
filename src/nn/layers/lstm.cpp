#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nn/internal/onnx_graph.h"
#include "nn/layers/lstm_sweep.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

constexpr int kGates = 4;
using RowMajor = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

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

/// Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates: Gers et al. 2000):
/// c_t = f c_(t-1) + i g, h_t = o tanh(c_t); gates i, f, o = sigmoid and g = tanh of
/// W x_t + U h_(t-1) + b. Rows of W, U and b: i, f, o, g. The state kept is c.
class Lstm : public Cloneable<Lstm, Layer> {
 public:
  int units = 128;
  bool bidirectional = false;
  int layers = 1;
  double dropout = 0;

  std::string_view type() const override { return "lstm"; }

  void visit(FieldVisitor& v) override {
    v.field("units", units, "Outputs of a direction", Range{1, 65536});
    v.field("bidirectional", bidirectional, "Also run from the last frame to the first");
    v.field("layers", layers, "Levels stacked on each other", Range{1, 64});
    v.field("dropout", dropout, "Probability of zeroing between levels while training",
            Range{0, 1}.below());
  }

  Shape plan(Node& node) const override {
    const Index rows = Index{kGates} * units;
    Index inputs = node.input.rows();
    for (int level = 0; level < layers; ++level, inputs = directions() * units)
      for (const char* direction : {"forward", "backward"}) {
        if (!bidirectional && *direction == 'b') continue;
        const auto name = [&](std::string_view part) {
          return fmt::format("{}.{}.{}", direction, level, part);
        };
        node.parameters.push_back({name("input_weight"), rows, inputs, Init::kGlorot, true});
        node.parameters.push_back({name("recurrent_weight"), rows, units, Init::kOrthogonal, true});
        node.parameters.push_back({name("bias"), rows, 1, Init::kForgetOne});
      }
    return {directions() * units, 1, node.input.frames};
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    Sweep* const sweeps = pass.arena->take<Sweep>(layers * directions());
    tape.kept[0] = sweeps;
    Real** const masks = pass.arena->take<Real*>(layers);
    tape.kept[1] = masks;
    Tensor x = tape.input;
    for (int level = 0; level < layers; ++level) {
      const Tensor y = pass.arena->tensor(node.output, x.frames, x.clips, x.lengths);
      for (int direction = 0; direction < directions(); ++direction) {
        Sweep* const sweep = sweeps + level * directions() + direction;
        new (sweep) Sweep(make_sweep(node, pass, level, direction, x, y));
        run(*sweep, pass);
      }
      y.clear_padding();
      x = y;
      masks[level] = nullptr;
      if (pass.mode == Mode::kInfer || dropout == 0 || level + 1 == layers) continue;
      const Tensor mask = pass.arena->tensor_like(y);
      draw_dropout(pass.rng.fork(node.stream).fork(level), dropout, mask);
      masks[level] = mask.data;
      x = pass.arena->tensor_like(y);
      x.array() = y.array() * mask.array();
    }
    return x;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    const Sweep* const sweeps = static_cast<const Sweep*>(tape.kept[0]);
    Real* const* const masks = static_cast<Real* const*>(tape.kept[1]);
    Tensor dy = gradient;
    for (int level = layers; level-- > 0;) {
      if (masks[level]) dy.array() *= ConstArrayMap(masks[level], dy.size());
      const bool wanted = level > 0 || tape.wants_input_gradient;
      const Tensor dx = wanted ? pass.arena->tensor_like(sweeps[level * directions()].x) : Tensor{};
      for (int direction = 0; direction < directions(); ++direction) {
        run_back(sweeps[level * directions() + direction], pass, dy.data, dx);
      }
      if (wanted) dx.clear_padding();
      dy = dx;
    }
    return dy;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    const Index rows = Index{kGates} * units;
    std::string y = graph.transpose(x, {1, 0, 2});
    for (int level = 0; level < layers; ++level) {
      const Index inputs = node.parameters[first_parameter(level, 0)].cols;
      const auto gates = [&](std::size_t parameter, const OnnxGraph::Sizes& sizes) {
        return export_gates(graph, node, pass, level, parameter, sizes);
      };
      y = graph.add(
          "LSTM",
          {y, gates(0, {directions(), rows, inputs}), gates(1, {directions(), rows, units}),
           gates(2, {directions(), 2 * rows})},
          {{"hidden_size", units}, {"direction", bidirectional ? "bidirectional" : "forward"}});
      y = graph.reshape(graph.transpose(y, {0, 2, 1, 3}), {0, 0, -1});
    }
    return graph.transpose(y, {1, 0, 2});
  }

 private:
  Index directions() const { return bidirectional ? 2 : 1; }
  std::size_t first_parameter(int level, int direction) const {
    return static_cast<std::size_t>(3 * (level * directions() + direction));
  }

  /// A parameter of all directions of a level under the shape `sizes`; directions come first, then
  /// rows: gates in the order i, o, f, g, and zeros where there are more.
  std::string export_gates(OnnxGraph& graph, const Node& node, const Pass& pass, int level,
                           std::size_t parameter, const OnnxGraph::Sizes& sizes) const {
    constexpr std::array<Index, kGates> kOrder = {0, 2, 1, 3};
    const std::size_t first = first_parameter(level, 0) + parameter;
    RowMajor all = RowMajor::Zero(sizes[0] * sizes[1], node.parameters[first].cols);
    for (int direction = 0; direction < directions(); ++direction) {
      const ConstAlignedMap value =
          pass.value(node.parameters[first_parameter(level, direction) + parameter]);
      for (Index gate = 0; gate < kGates; ++gate)
        all.middleRows(direction * sizes[1] + gate * units, units) =
            value.middleRows(kOrder[gate] * units, units);
    }
    return graph.constant(all.reshaped<Eigen::RowMajor>(), sizes);
  }

  Sweep make_sweep(const Node& node, const Pass& pass, int level, int direction, const Tensor& x,
                   const Tensor& y) const {
    Arena& arena = *pass.arena;
    Sweep s;
    s.node = &node;
    s.first_parameter = first_parameter(level, direction);
    s.units = units;
    s.gate_rows = Index{kGates} * units;
    s.steps = make_steps(arena, x, direction == 0 ? Direction::kForward : Direction::kBackward);
    s.x = x;
    s.y = y;
    s.row = Index{direction} * units;
    s.gates = arena.take<Real>(s.gate_rows * s.steps.entries());
    s.state = arena.take<Real>(units * s.steps.entries());
    s.gate_offsets = evenly(arena, s.steps.entries(), s.gate_rows);
    s.state_offsets = evenly(arena, s.steps.entries(), units);
    s.input_offsets = scaled(arena, s.steps, x.rows());
    s.hidden_offsets = scaled(arena, s.steps, y.rows(), s.row);
    s.previous_hidden = one_step_before(arena, s.steps, s.hidden_offsets);
    return s;
  }

  /// Runs all steps; s.y receives the result.
  void run(const Sweep& s, const Pass& pass) const {
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

  /// Turns s.gates into dL/dgates, given dL/dy (which it may overwrite), and adds to all gradients.
  void run_back(const Sweep& s, const Pass& pass, Real* dy, const Tensor& dx) const {
    Arena& arena = *pass.arena;
    const PackedLeft transposed = pack_left(arena, pass.value(s.recurrent_weight()).data(), s.units,
                                            s.gate_rows, evenly(arena, s.gate_rows, 1));
    const Offsets rows = evenly(arena, s.gate_rows, 1);
    GateGradients gradients(s, pass, dx);
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

  /// Where one clip's numbers of one step stand.
  struct Cell {
    Cell(const Sweep& s, Index step, Index i)
        : entry(s.steps.begin[step] + i),
          in(s.gates + entry * s.gate_rows),
          forget(in + s.units),
          out(forget + s.units),
          candidate(out + s.units),
          c(s.state + entry * s.units),
          before(step == 0 ? nullptr : s.state + (s.steps.begin[step - 1] + i) * s.units),
          hidden(s.hidden_offsets[entry]) {}
    Index entry;
    Real *in, *forget, *out, *candidate, *c;
    const Real* before;  ///< c of the step before; null in the first
    Index hidden;
  };

  static void advance(const Sweep& s, Index step, Index i) {
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
  static void retreat(const Sweep& s, Index step, Index i, const Real* dy, Real* dstate) {
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
