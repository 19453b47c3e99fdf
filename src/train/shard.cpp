#include <algorithm>

#include "train/augmentation.h"
#include "train/dataset.h"

namespace ser {
namespace {

/// What is drawn for one clip before memory is laid out.
struct Plan {
  int id = 0;
  int other = -1;      ///< clip that is mixed in
  nn::Real share = 0;  ///< of the other clip
};

Plan draw_plan(std::span<const int> ids, std::size_t position, const FeatureAugmentation& options,
               Rng& rng) {
  Plan plan;
  plan.id = ids[position];
  if (options.mixup > 0) {
    plan.other = ids[rng.below(ids.size())];
    const double share = rng.beta(options.mixup, options.mixup);
    plan.share = static_cast<nn::Real>(std::min(share, 1 - share));
  }
  return plan;
}

/// Mixes `share` of another clip in; it is repeated to the length of `clip`.
void mix_in(const Eigen::MatrixXf& other, nn::Real share, nn::MatrixMap clip) {
  for (Eigen::Index t = 0; t < clip.cols(); ++t)
    clip.col(t) = (1 - share) * clip.col(t) + share * other.col(t % other.cols()).cast<nn::Real>();
}

void write_targets(const Dataset& data, const Plan& plan, Eigen::Index n, const Shard& shard) {
  auto targets = shard.targets.matrix().col(n);
  auto weights = shard.weights.matrix().col(n);
  targets = data.targets.col(plan.id);
  weights = data.weights.col(plan.id);
  if (plan.other < 0) return;
  targets = (1 - plan.share) * targets + plan.share * data.targets.col(plan.other);
  weights = (1 - plan.share) * weights + plan.share * data.weights.col(plan.other);
}

void smooth(const Tasks& tasks, double smoothing, const nn::Tensor& targets) {
  const auto share = static_cast<nn::Real>(smoothing);
  for (const nn::HeadRange& head : tasks.heads) {
    auto rows = targets.matrix().middleRows(head.begin, head.size).array();
    rows = (1 - share) * rows + share / static_cast<nn::Real>(head.size);
  }
}

}  // namespace

Shard make_training_shard(const Dataset& data, std::span<const int> ids, const nn::Shape& shape,
                          const Tasks& tasks, const TrainingOptions& options, const Rng& rng,
                          nn::Arena& arena) {
  const auto count = static_cast<Eigen::Index>(ids.size());
  const FeatureAugmentation& changes = options.augmentation;
  Plan* const plans = arena.take<Plan>(count);
  int* const lengths = arena.take<int>(count);
  Eigen::Index longest = 0;
  for (Eigen::Index n = 0; n < count; ++n) {
    Rng clip_rng = rng.fork(2 * static_cast<std::uint64_t>(n));
    plans[n] = draw_plan(ids, static_cast<std::size_t>(n), changes, clip_rng);
    const Eigen::Index frames = data.clips[static_cast<std::size_t>(plans[n].id)].cols();
    lengths[n] = static_cast<int>(frames);
    longest = std::max(longest, frames);
  }
  Shard shard;
  shard.input = arena.tensor(shape, longest, count, shape.frames == 1 ? nullptr : lengths);
  shard.targets = arena.tensor({static_cast<int>(data.targets.rows()), 1, 1}, 1, count, nullptr);
  shard.weights = arena.tensor({static_cast<int>(data.weights.rows()), 1, 1}, 1, count, nullptr);
  for (Eigen::Index n = 0; n < count; ++n) {
    const Plan& plan = plans[n];
    Rng clip_rng = rng.fork(2 * static_cast<std::uint64_t>(n) + 1);
    const Eigen::MatrixXf& source = data.clips[static_cast<std::size_t>(plan.id)];
    nn::MatrixMap clip(shard.input.clip(n).data(), shape.rows(), source.cols());
    clip = source.cast<nn::Real>();
    if (plan.other >= 0) mix_in(data.clips[static_cast<std::size_t>(plan.other)], plan.share, clip);
    mask(changes, data.spectral_rows, clip_rng, clip);
    write_targets(data, plan, n, shard);
  }
  smooth(tasks, options.label_smoothing, shard.targets);
  shard.input.clear_padding();
  return shard;
}

}  // namespace ser
