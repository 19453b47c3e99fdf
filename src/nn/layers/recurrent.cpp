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

/// For each entry, what `offsets` holds for the same clip one step before (first step: zero).
Offsets one_step_before(Arena& arena, const Steps& steps, Offsets offsets) {
  Index* const previous = arena.take<Index>(steps.entries());
  for (Index step = 0; step < steps.count; ++step)
    for (Index i = 0; i < steps.active(step); ++i)
      previous[steps.begin[step] + i] =
          step == 0 ? 0 : offsets[static_cast<std::size_t>(steps.begin[step - 1] + i)];
  return {previous, static_cast<std::size_t>(steps.entries())};
}

constexpr Index kEntriesAtATime = 128;  // whose gates the second-level cache holds

}  // namespace

InputProducts::InputProducts(const Strand& strand, const Pass& pass)
    : strand_(strand), rows_(evenly(*pass.arena, strand.x.rows(), 1)) {
  const ConstAlignedMap weight = pass.value(strand.input_weight());
  weight_ = pack_left(*pass.arena, weight.data(), weight.rows(), 1,
                      evenly(*pass.arena, weight.cols(), weight.rows()),
                      pass.value(strand.bias()).data());
}

void InputProducts::reach(Index step) {
  if (step < next_) return;
  const Index begin = strand_.steps.begin[step];
  while (next_ < strand_.steps.count && strand_.steps.begin[next_] - begin < kEntriesAtATime)
    ++next_;
  const Index end = strand_.steps.begin[next_];
  multiply(weight_, {strand_.x.data, rows_, Strand::slice(strand_.input_offsets, begin, end)},
           {strand_.gates, Strand::slice(strand_.gate_offsets, begin, end)});
}

GateGradients::GateGradients(const Strand& strand, const Pass& pass,
                             std::span<const RecurrentPart> parts, const Tensor& dx)
    : strand_(strand), pass_(pass), parts_(parts), dx_(dx), end_step_(strand.steps.count) {
  Arena& arena = *pass.arena;
  const ConstAlignedMap weight = pass.value(strand.input_weight());
  if (dx.data)
    transposed_ = pack_left(arena, weight.data(), weight.cols(), weight.rows(),
                            evenly(arena, weight.rows(), 1));
  const Index widest = strand.steps.active(0) + kEntriesAtATime;
  buffers_[0] = take_left(arena, strand.gate_rows, widest);
  for (const RecurrentPart& part : parts)
    if (part.rows != strand.gate_rows) buffers_[1] = take_left(arena, strand.gate_rows, widest);
  gate_rows_ = evenly(arena, strand.gate_rows, 1);
  inputs_ = evenly(arena, strand.x.rows(), 1);
  units_ = evenly(arena, strand.units, 1);
  input_columns_ = evenly(arena, strand.x.rows(), strand.gate_rows);
  recurrent_columns_ = evenly(arena, strand.units, strand.gate_rows);
}

void GateGradients::passed(Index step) {
  const Index* const begin = strand_.steps.begin;
  // The first step has no step before it, so it goes alone.
  if (step <= 1 || begin[end_step_] - begin[step] >= kEntriesAtATime) flush(step);
}

void GateGradients::flush(Index first_step) {
  const Index begin = strand_.steps.begin[first_step], end = strand_.steps.begin[end_step_];
  end_step_ = first_step;
  auto bias = pass_.gradient(strand_.bias()).col(0).array();
  for (Index i = begin; i < end; ++i)
    bias += Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>(
        strand_.gates + i * strand_.gate_rows, strand_.gate_rows);
  add_weights(begin, end);
  if (!dx_.data) return;
  const Right right{strand_.gates, gate_rows_, Strand::slice(strand_.gate_offsets, begin, end)};
  const Product out{dx_.data, Strand::slice(strand_.input_offsets, begin, end)};
  if (strand_.row > 0)
    multiply_add(transposed_, right, out);
  else
    multiply(transposed_, right, out);
}

void GateGradients::add_weights(Index begin, Index end) {
  const PackedLeft gates =
      pack_left(buffers_[0], strand_.gates, Strand::slice(strand_.gate_offsets, begin, end));
  multiply_add(gates, {strand_.x.data, Strand::slice(strand_.input_offsets, begin, end), inputs_},
               {pass_.gradient(strand_.input_weight()).data(), input_columns_});
  if (begin == 0) return;
  const Right hidden{strand_.y.data, Strand::slice(strand_.previous_hidden, begin, end), units_};
  for (const RecurrentPart& part : parts_) {
    const Product out{pass_.gradient(strand_.recurrent_weight()).data() + part.first_row,
                      recurrent_columns_};
    if (part.rows == strand_.gate_rows)
      multiply_add(gates, hidden, out);
    else
      multiply_add(pack_left({buffers_[1].data, part.rows}, part.data,
                             Strand::slice(part.offsets, begin, end)),
                   hidden, out);
  }
}

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

Strand Recurrent::make_strand(const Node& node, const Pass& pass, int level, int direction,
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
  s.gates = arena.take<Real>(s.gate_rows * s.steps.entries());
  s.state = arena.take<Real>(units * s.steps.entries());
  s.gate_offsets = evenly(arena, s.steps.entries(), s.gate_rows);
  s.state_offsets = evenly(arena, s.steps.entries(), units);
  s.input_offsets = scaled(arena, s.steps, x.rows());
  s.hidden_offsets = scaled(arena, s.steps, y.rows(), s.row);
  s.previous_hidden = one_step_before(arena, s.steps, s.hidden_offsets);
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
      new (strand) Strand(make_strand(node, pass, level, direction, x, y));
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
      run_back(strands[level * directions() + direction], pass, dy.data, dx);
    }
    if (wanted) dx.clear_padding();
    dy = dx;
  }
  return dy;
}

}  // namespace ser::nn
