#include "nn/layers/lstm_sweep.h"

#include <algorithm>
#include <numeric>

namespace ser::nn {

constexpr Index kEntriesAtATime = 128;  // whose gates the second-level cache holds

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

Offsets scaled(Arena& arena, const Steps& steps, Index step, Index shift) {
  Index* const offsets = arena.take<Index>(steps.entries());
  for (Index i = 0; i < steps.entries(); ++i) offsets[i] = steps.columns[i] * step + shift;
  return {offsets, static_cast<std::size_t>(steps.entries())};
}

Offsets one_step_before(Arena& arena, const Steps& steps, Offsets offsets) {
  Index* const previous = arena.take<Index>(steps.entries());
  for (Index step = 0; step < steps.count; ++step)
    for (Index i = 0; i < steps.active(step); ++i)
      previous[steps.begin[step] + i] = step == 0 ? 0 : offsets[steps.begin[step - 1] + i];
  return {previous, static_cast<std::size_t>(steps.entries())};
}

InputProducts::InputProducts(const Sweep& sweep, const Pass& pass)
    : sweep_(sweep), rows_(evenly(*pass.arena, sweep.x.rows(), 1)) {
  const ConstAlignedMap weight = pass.value(sweep.input_weight());
  weight_ =
      pack_left(*pass.arena, weight.data(), weight.rows(), 1,
                evenly(*pass.arena, weight.cols(), weight.rows()), pass.value(sweep.bias()).data());
}

void InputProducts::reach(Index step) {
  if (step < next_) return;
  const Index begin = sweep_.steps.begin[step];
  while (next_ < sweep_.steps.count && sweep_.steps.begin[next_] - begin < kEntriesAtATime) ++next_;
  const Index end = sweep_.steps.begin[next_];
  multiply(weight_, {sweep_.x.data, rows_, Sweep::slice(sweep_.input_offsets, begin, end)},
           {sweep_.gates, Sweep::slice(sweep_.gate_offsets, begin, end)});
}

GateGradients::GateGradients(const Sweep& sweep, const Pass& pass, const Tensor& dx)
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

void GateGradients::passed(Index step) {
  const Index* const begin = sweep_.steps.begin;
  // The first step has no step before it, so it goes alone.
  if (step <= 1 || begin[end_step_] - begin[step] >= kEntriesAtATime) flush(step);
}

void GateGradients::flush(Index first_step) {
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

void GateGradients::add_weights(Index begin, Index end) {
  const PackedLeft gates =
      pack_left(buffer_, sweep_.gates, Sweep::slice(sweep_.gate_offsets, begin, end));
  multiply_add(gates, {sweep_.x.data, Sweep::slice(sweep_.input_offsets, begin, end), inputs_},
               {pass_.gradient(sweep_.input_weight()).data(), input_columns_});
  if (begin == 0) return;
  const Right hidden{sweep_.y.data, Sweep::slice(sweep_.previous_hidden, begin, end), units_};
  multiply_add(gates, hidden,
               {pass_.gradient(sweep_.recurrent_weight()).data(), recurrent_columns_});
}

}  // namespace ser::nn
