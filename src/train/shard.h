#pragma once

#include <Eigen/Core>
#include <span>
#include <utility>
#include <vector>

#include "ser/core/rng.h"
#include "ser/model/scaler.h"
#include "ser/nn/tensor.h"
#include "ser/train/recipe.h"
#include "train/dataset.h"
#include "train/voices.h"

namespace ser {

/// A shard as the network and the loss take it; lives in an arena.
struct Shard {
  nn::Tensor input;
  nn::Tensor targets;  ///< [outputs x clips]
  nn::Tensor allowed;  ///< [outputs x clips]
  nn::Tensor weights;  ///< [heads x clips]

  nn::Targets answers() const { return {targets.matrix(), allowed.matrix(), weights.matrix()}; }
};

/// What shards are made of and how.
struct ShardSource {
  const Dataset& data;
  const Scaler& scaler;
  const Voices& voices;
  const Tasks& tasks;
  const Recipe& recipe;
  nn::Shape shape;  ///< of the network's input

  /// Of clip `id`, those that an epoch takes.
  nn::Index frames(int id) const;
};

/// Neighbouring clips [begin, end) of a list.
using ClipRange = std::pair<std::size_t, std::size_t>;

/// `count` clips cut into ranges of `size`; a last one under half size joins the one before.
std::vector<ClipRange> cut_clips(std::size_t count, std::size_t size);

/// The shards of a batch whose clips have `frames` frames: of `size` clips, halved while they
/// have more than kFramesAtOnce, but not to fewer than four clips: a normalisation wants some.
std::vector<ClipRange> cut_shards(std::span<const nn::Index> frames, std::size_t size);

/// Puts the clips `ids` together, each relative to what was heard of its voice, masked and mixed as
/// the recipe says, drawn from `rng`. Mixed clips are held against both answers, head by head: a
/// missing label leaves the other's; classes that either's corpus has take part.
Shard make_training_shard(const ShardSource& source, std::span<const int> ids, const Rng& rng,
                          nn::Arena& arena);

/// The same clips as they are, of voices never heard before; of long ones the middle.
Shard make_plain_shard(const ShardSource& source, std::span<const int> ids, nn::Arena& arena);

/// Masks runs of frames, and runs of the first `spectral_rows` bands, with zero (Park et al. 2019,
/// SpecAugment); in place.
void mask(const FeatureAugmentation& options, Eigen::Index spectral_rows, Rng& rng,
          nn::MatrixMap clip);

}  // namespace ser
