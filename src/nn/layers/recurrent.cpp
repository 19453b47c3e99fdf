#include "nn/layers/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "nn/layers/dropout_mask.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

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

/// For each entry from the second step on, what `offsets` holds for the same clip one step before.
Offsets one_step_before(Arena& arena, const Steps& steps, Offsets offsets) {
  Index* const previous = arena.take<Index>(steps.entries());
  Index next = 0;
  for (Index step = 1; step < steps.count; ++step)
    for (Index i = 0; i < steps.active(step); ++i)
      previous[next++] = offsets[static_cast<std::size_t>(steps.begin[step - 1] + i)];
  return {previous, static_cast<std::size_t>(next)};
}

}  // namespace

void Recurrent::visit(FieldVisitor& v) {
  v.field("units", units, "Outputs of a direction");
  v.field("bidirectional", bidirectional, "Also run from the last frame to the first");
  v.field("layers", layers, "Levels stacked on each other");
  v.field("dropout", dropout, "Probability of zeroing between levels while training");
}

Shape Recurrent::plan(Node& node) const {
  if (units < 1) throw Error(fmt::format("'units': expected at least 1, found {}", units));
  if (layers < 1) throw Error(fmt::format("'layers': expected at least 1, found {}", layers));
  if (!(dropout >= 0 && dropout < 1))
    throw Error(fmt::format("'dropout': expected a number in [0, 1), found {}", dropout));
  const Index rows = Index{gates()} * units;
  Index inputs = node.input.rows();
  for (int level = 0; level < layers; ++level, inputs = Index{directions()} * units)
    for (const char* direction : {"forward", "backward"}) {
      if (!bidirectional && *direction == 'b') continue;
      const auto name = [&](std::string_view part) {
        return fmt::format("{}.{}.{}", direction, level, part);
      };
      node.parameters.push_back({name("input_weight"), rows, inputs, Init::kGlorot, true});
      node.parameters.push_back({name("recurrent_weight"), rows, units, Init::kOrthogonal, true});
      node.parameters.push_back({name("bias"), rows, 1, bias_init()});
      if (has_extra_bias())
        node.parameters.push_back({name("candidate_bias"), units, 1, Init::kZeros});
    }
  return {directions() * units, 1, node.input.frames};
}

Strand Recurrent::start_strand(const Node& node, const Pass& pass, int level, int direction,
                               const Tensor& x, const Tensor& y) const {
  Arena& arena = *pass.arena;
  Strand s;
  s.node = &node;
  s.first_parameter =
      static_cast<std::size_t>(level * directions() + direction) * parameters_each();
  s.units = units;
  s.gate_rows = Index{gates()} * units;
  s.steps = make_steps(arena, x, direction == 0 ? Direction::kForward : Direction::kBackward);
  s.x = x;
  s.y = y;
  s.row = Index{direction} * units;
  s.gates = arena.take<Real>(s.gate_rows * x.columns());
  s.state = arena.take<Real>(units * x.columns());
  s.gate_offsets = scaled(arena, s.steps, s.gate_rows);
  s.state_offsets = scaled(arena, s.steps, units);
  s.hidden_offsets = scaled(arena, s.steps, y.rows(), s.row);
  s.previous_hidden = one_step_before(arena, s.steps, s.hidden_offsets);
  const ConstAlignedMap weight = pass.value(s.input_weight());
  multiply(pack_left(arena, weight.data(), weight.rows(), 1,
                     evenly(arena, weight.cols(), weight.rows()), pass.value(s.bias()).data()),
           {x.data, evenly(arena, x.rows(), 1), scaled(arena, s.steps, x.rows())},
           {s.gates, s.gate_offsets});
  return s;
}

Tensor Recurrent::forward(const Node& node, const Pass& pass, Tape& tape) const {
  Strand* const strands = pass.arena->take<Strand>(layers * directions());
  tape.kept[0] = strands;
  Real** const masks = pass.arena->take<Real*>(layers);
  tape.kept[1] = masks;
  Tensor x = tape.input;
  for (int level = 0; level < layers; ++level) {
    const Tensor y = pass.arena->tensor(node.output, x.frames, x.clips, x.lengths);
    for (int direction = 0; direction < directions(); ++direction) {
      Strand* const strand = strands + level * directions() + direction;
      new (strand) Strand(start_strand(node, pass, level, direction, x, y));
      run(*strand, pass);
    }
    y.clear_padding();
    x = y;
    masks[level] = nullptr;
    if (pass.mode == Mode::kInfer || dropout == 0 || level + 1 == layers) continue;
    const Tensor mask = pass.arena->tensor_like(y);
    draw_dropout(pass.rng.fork(node.stream).fork(static_cast<std::uint64_t>(level)), dropout, mask);
    masks[level] = mask.data;
    x = pass.arena->tensor_like(y);
    x.array() = y.array() * mask.array();
  }
  return x;
}

void Recurrent::end_strand(const Strand& s, const Pass& pass, const Tensor* dx, bool adds) const {
  Arena& arena = *pass.arena;
  const Offsets inputs = scaled(arena, s.steps, s.x.rows());
  const ConstAlignedMap weight = pass.value(s.input_weight());
  multiply_add(
      arena, s.gates, s.gate_rows, s.gate_offsets, {s.x.data, inputs, evenly(arena, s.x.rows(), 1)},
      {pass.gradient(s.input_weight()).data(), evenly(arena, weight.cols(), weight.rows())});
  auto bias = pass.gradient(s.bias()).col(0).array();
  for (const Index offset : s.gate_offsets)
    bias += Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>(s.gates + offset, s.gate_rows);
  if (!dx) return;
  const PackedLeft transposed =
      pack_left(arena, weight.data(), s.x.rows(), weight.rows(), evenly(arena, weight.rows(), 1));
  const Right right{s.gates, evenly(arena, s.gate_rows, 1), s.gate_offsets};
  const Product out{dx->data, inputs};
  if (adds)
    multiply_add(transposed, right, out);
  else
    multiply(transposed, right, out);
}

Tensor Recurrent::backward(const Node&, const Pass& pass, Tape& tape,
                           const Tensor& gradient) const {
  const Strand* const strands = static_cast<const Strand*>(tape.kept[0]);
  Real* const* const masks = static_cast<Real* const*>(tape.kept[1]);
  Tensor dy = gradient;
  for (int level = layers; level-- > 0;) {
    if (masks[level]) dy.array() *= ConstArrayMap(masks[level], dy.size());
    const bool wanted = level > 0 || tape.wants_input_gradient;
    const Tensor dx = wanted ? pass.arena->tensor_like(strands[level * directions()].x) : Tensor{};
    for (int direction = 0; direction < directions(); ++direction) {
      const Strand& strand = strands[level * directions() + direction];
      run_back(strand, pass, dy.data);
      end_strand(strand, pass, wanted ? &dx : nullptr, direction > 0);
    }
    if (wanted) dx.clear_padding();
    dy = dx;
  }
  return dy;
}

}  // namespace ser::nn
