#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "nn/internal/onnx_graph.h"
#include "nn/layers/parts.h"
#include "nn/product.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

constexpr int kGates = 4;
constexpr Index kEntriesAtATime = 128;  // whose gates the second-level cache holds
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

/// The order in which `direction` visits the frames of x.
enum class Direction { kForward, kBackward };
Steps make_steps(Arena& arena, const Tensor& x, Direction direction) {
  Index* const order = arena.take<Index>(x.clips);
  std::iota(order, order + x.clips, Index{0});
  std::sort(order, order + x.clips, [&](Index a, Index b) {
    return x.length(a) != x.length(b) ? x.length(a) > x.length(b) : a < b;
  });
  const Index count = x.clips > 0 ? x.length(order[0]) : 0;
  Index* const begin = arena.take<Index>(count + 1);
  Index* const columns = arena.take<Index>(x.valid_frames());
  Index next = 0, active = x.clips;
  for (Index step = 0; step < count; ++step) {
    begin[step] = next;
    while (x.length(order[active - 1]) <= step) --active;
    for (Index i = 0; i < active; ++i) {
      const Index clip = order[i];
      const Index frame = direction == Direction::kForward ? step : x.length(clip) - 1 - step;
      columns[next++] = clip * x.frames + frame;
    }
  }
  begin[count] = next;
  return {count, begin, columns};
}

/// column * step + shift for each entry.
Offsets scaled(Arena& arena, const Steps& steps, Index step, Index shift = 0) {
  Index* const offsets = arena.take<Index>(steps.entries());
  for (Index i = 0; i < steps.entries(); ++i) offsets[i] = steps.columns[i] * step + shift;
  return {offsets, static_cast<std::size_t>(steps.entries())};
}

/// For each entry, what `offsets` holds for the same clip one step before (first step: zero).
Offsets one_step_before(Arena& arena, const Steps& steps, Offsets offsets) {
  Index* const previous = arena.take<Index>(steps.entries());
  for (Index step = 0; step < steps.count; ++step)
    for (Index i = 0; i < steps.active(step); ++i)
      previous[steps.begin[step] + i] = step == 0 ? 0 : offsets[steps.begin[step - 1] + i];
  return {previous, static_cast<std::size_t>(steps.entries())};
}

/// The gates' products with the input, computed for some steps at a time just before they run, so
/// that the gates are still in the cache then.
class InputProducts {
 public:
  InputProducts(const Sweep& sweep, const Pass& pass)
      : sweep_(sweep), rows_(evenly(*pass.arena, sweep.x.rows(), 1)) {
    const ConstAlignedMap weight = pass.value(sweep.input_weight());
    weight_ = pack_left(*pass.arena, weight.data(), weight.rows(), 1,
                        evenly(*pass.arena, weight.cols(), weight.rows()),
                        pass.value(sweep.bias()).data());
  }

  void reach(Index step) {
    if (step < next_) return;
    const Index begin = sweep_.steps.begin[step];
    while (next_ < sweep_.steps.count && sweep_.steps.begin[next_] - begin < kEntriesAtATime)
      ++next_;
    const Index end = sweep_.steps.begin[next_];
    multiply(weight_, {sweep_.x.data, rows_, Sweep::slice(sweep_.input_offsets, begin, end)},
             {sweep_.gates, Sweep::slice(sweep_.gate_offsets, begin, end)});
  }

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
  GateGradients(const Sweep& sweep, const Pass& pass, const Tensor& dx)
      : sweep_(sweep), pass_(pass), dx_(dx), end_step_(sweep.steps.count) {
    Arena& arena = *pass.arena;
    const ConstAlignedMap weight = pass.value(sweep.input_weight());
    if (dx.data)
      transposed_ = pack_left(arena, weight.data(), weight.cols(), weight.rows(),
                              evenly(arena, weight.rows(), 1));
    buffer_ = take_left(arena, sweep.gate_rows, sweep.steps.active(0) + kEntriesAtATime);
    gate_rows_ = evenly(arena, sweep.gate_rows, 1);
    inputs_ = evenly(arena, sweep.x.rows(), 1);
    units_ = evenly(arena, sweep.units, 1);
    input_columns_ = evenly(arena, sweep.x.rows(), sweep.gate_rows);
    recurrent_columns_ = evenly(arena, sweep.units, sweep.gate_rows);
  }

  void passed(Index step) {
    const Index* const begin = sweep_.steps.begin;
    // The first step has no step before it, so it goes alone.
    if (step <= 1 || begin[end_step_] - begin[step] >= kEntriesAtATime) flush(step);
  }

 private:
  void flush(Index first_step) {
    const Index begin = sweep_.steps.begin[first_step], end = sweep_.steps.begin[end_step_];
    end_step_ = first_step;
    auto bias = pass_.gradient(sweep_.bias()).col(0).array();
    for (Index i = begin; i < end; ++i)
      bias += Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>(
          sweep_.gates + i * sweep_.gate_rows, sweep_.gate_rows);
    add_weights(begin, end);
    if (!dx_.data) return;
    const Right right{sweep_.gates, gate_rows_, Sweep::slice(sweep_.gate_offsets, begin, end)};
    const Product out{dx_.data, Sweep::slice(sweep_.input_offsets, begin, end)};
    if (sweep_.row > 0)
      multiply_add(transposed_, right, out);
    else
      multiply(transposed_, right, out);
  }

  void add_weights(Index begin, Index end) {
    const PackedLeft gates =
        pack_left(buffer_, sweep_.gates, Sweep::slice(sweep_.gate_offsets, begin, end));
    multiply_add(gates, {sweep_.x.data, Sweep::slice(sweep_.input_offsets, begin, end), inputs_},
                 {pass_.gradient(sweep_.input_weight()).data(), input_columns_});
    if (begin == 0) return;
    const Right hidden{sweep_.y.data, Sweep::slice(sweep_.previous_hidden, begin, end), units_};
    multiply_add(gates, hidden,
                 {pass_.gradient(sweep_.recurrent_weight()).data(), recurrent_columns_});
  }

  const Sweep& sweep_;
  const Pass& pass_;
  const Tensor& dx_;
  PackedLeft transposed_;
  LeftBuffer buffer_;
  Offsets gate_rows_, inputs_, units_, input_columns_, recurrent_columns_;
  Index end_step_;
};

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
