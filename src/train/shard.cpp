#include "train/shard.h"

#include <algorithm>
#include <functional>

#include "model/internal/batch.h"

namespace ser {
namespace {

struct Run {
  Eigen::Index begin = 0;
  Eigen::Index count = 0;
};

/// Up to `longest` neighbouring positions among `size`.
Run draw_run(Eigen::Index size, int longest, Rng& rng) {
  const auto limit = std::min<Eigen::Index>(longest, size);
  const Eigen::Index count = rng.below(static_cast<std::uint64_t>(limit) + 1);
  const Eigen::Index begin = rng.below(static_cast<std::uint64_t>(size - count) + 1);
  return {begin, count};
}

/// Streams of a shard's random numbers; each clip forks its own.
enum ClipStream : std::uint64_t { kMixing, kMasking, kListening, kListeningOfOther, kStreams };

Rng clip_rng(const Rng& rng, Eigen::Index n, ClipStream stream) {
  return rng.fork(kStreams * static_cast<std::uint64_t>(n) + stream);
}

/// Where a part of `size` frames begins among `frames`.
using DrawBegin = std::function<nn::Index(nn::Index frames, nn::Index size)>;

DrawBegin drawn_from(Rng rng) {
  return [rng](nn::Index frames, nn::Index size) mutable {
    return static_cast<nn::Index>(rng.below(static_cast<std::uint64_t>(frames - size) + 1));
  };
}

nn::Index middle(nn::Index frames, nn::Index size) { return (frames - size) / 2; }

/// The clip that is mixed into another.
struct Partner {
  int id = -1;
  nn::Real share = 0;  ///< at most a half
};

Partner draw_partner(std::span<const int> ids, double mixup, Rng rng) {
  if (mixup == 0) return {};
  const int id = ids[rng.below(ids.size())];
  const double share = rng.beta(mixup, mixup);
  return {id, static_cast<nn::Real>(std::min(share, 1 - share))};
}

Shard take_shard(const ShardSource& source, std::span<const int> ids, nn::Arena& arena) {
  const Eigen::Index count = ids.size();
  int* const frames = arena.take<int>(count);
  for (Eigen::Index n = 0; n < count; ++n) frames[n] = source.frames(ids[n]);
  const auto matrix = [&](Eigen::Index rows) {
    return arena.tensor({static_cast<int>(rows), 1, 1}, 1, count, nullptr);
  };
  return {take_batch({frames, ids.size()}, source.shape, arena), matrix(source.tasks.outputs()),
          matrix(source.tasks.outputs()), matrix(source.data.weights.rows())};
}

/// The network's input for clip `id` after what was heard of its voice, or the part of it that
/// `out` has room for.
void write_clip(const ShardSource& source, int id, const HeardFeatures& heard,
                const DrawBegin& begin, nn::MatrixMap out) {
  const Eigen::VectorXf offset = voice_offset(heard, 1, source.scaler, source.recipe.listening);
  const nn::Index frames = source.data.frames(id);
  const nn::Index first = out.cols() < frames ? begin(frames, out.cols()) : 0;
  const auto part = source.data.table.part(source.data.place(id), first, out.cols());
  out = source.scaler.apply(part, offset).cast<nn::Real>();
}

/// Mixes `share` of another clip in; it is repeated to the length of `clip`.
void mix_in(nn::ConstMatrixMap other, nn::Real share, nn::MatrixMap clip) {
  for (Eigen::Index t = 0; t < clip.cols(); ++t)
    clip.col(t) = (1 - share) * clip.col(t) + share * other.col(t % other.cols());
}

void write_answers(const Dataset& data, int id, Eigen::Index n, const Shard& shard) {
  shard.targets.matrix().col(n) = data.targets.col(id);
  shard.allowed.matrix().col(n) = data.allowed.col(id);
  shard.weights.matrix().col(n) = data.weights.col(id);
}

/// The mean of two losses, as one: (1 - s) w L(t) + s w' L(t') = W L((1 - q) t + q t') with
/// W = (1 - s) w + s w' and q = s w' / W, the softmax being over the classes of both.
void mix_answers(const ShardSource& source, const Partner& partner, Eigen::Index n,
                 const Shard& shard) {
  const Dataset& data = source.data;
  shard.allowed.matrix().col(n) =
      shard.allowed.matrix().col(n).cwiseMax(data.allowed.col(partner.id));
  for (std::size_t h = 0; h < source.tasks.heads.size(); ++h) {
    const nn::HeadRange& head = source.tasks.heads[h];
    nn::Real& weight = shard.weights.matrix()(static_cast<Eigen::Index>(h), n);
    const nn::Real others = partner.share * data.weights(h, partner.id);
    weight = (1 - partner.share) * weight + others;
    if (weight == 0) continue;
    const nn::Real share = others / weight;
    auto target = shard.targets.matrix().col(n).segment(head.begin, head.size);
    target =
        (1 - share) * target + share * data.targets.col(partner.id).segment(head.begin, head.size);
  }
}

/// Spreads a share of every target evenly over the classes that take part.
void smooth(const Tasks& tasks, double smoothing, const Shard& shard) {
  const auto share = static_cast<nn::Real>(smoothing);
  for (const nn::HeadRange& head : tasks.heads) {
    auto targets = shard.targets.matrix().middleRows(head.begin, head.size);
    const auto allowed = shard.allowed.matrix().middleRows(head.begin, head.size);
    for (Eigen::Index n = 0; n < targets.cols(); ++n)
      targets.col(n) = (1 - share) * targets.col(n) +
                       share / std::max<nn::Real>(1, allowed.col(n).sum()) * allowed.col(n);
  }
}

nn::MatrixMap unpadded(const nn::Tensor& input, Eigen::Index n) {
  return {input.clip(n).data(), input.rows(), input.length(n)};
}

}  // namespace

void mask(const FeatureAugmentation& options, Eigen::Index spectral_rows, Rng& rng,
          nn::MatrixMap clip) {
  for (int i = 0; i < options.time_masks; ++i) {
    const Run run = draw_run(clip.cols(), options.time_mask_frames, rng);
    clip.middleCols(run.begin, run.count).setZero();
  }
  for (int i = 0; i < options.band_masks; ++i) {
    const Run run = draw_run(spectral_rows, options.band_mask_rows, rng);
    clip.middleRows(run.begin, run.count).setZero();
  }
}

nn::Index ShardSource::frames(int id) const {
  const nn::Index all = data.frames(id), most = recipe.training.crop_frames;
  if (most == 0) return all;
  return std::min({all, most, all > kLongestWhole ? kPieceFrames : most});
}

std::vector<ClipRange> cut_clips(std::size_t count, std::size_t size) {
  std::vector<ClipRange> ranges;
  for (std::size_t begin = 0; begin < count; begin += size)
    ranges.emplace_back(begin, std::min(count, begin + size));
  if (ranges.size() > 1 && 2 * (ranges.back().second - ranges.back().first) < size) {
    ranges.pop_back();
    ranges.back().second = count;
  }
  return ranges;
}

std::vector<ClipRange> cut_shards(std::span<const nn::Index> frames, std::size_t size) {
  std::vector<ClipRange> shards = cut_clips(frames.size(), size);
  for (std::size_t s = 0; s < shards.size();) {
    const auto [begin, end] = shards[s];
    const std::size_t clips = end - begin;
    const nn::Index longest = std::ranges::max(frames.subspan(begin, clips));
    if (clips < 8 || static_cast<nn::Index>(clips) * longest <= kFramesAtOnce) {
      ++s;
      continue;
    }
    shards[s].second = begin + clips / 2;
    shards.insert(shards.begin() + static_cast<std::ptrdiff_t>(s) + 1, {begin + clips / 2, end});
  }
  return shards;
}

Shard make_training_shard(const ShardSource& source, std::span<const int> ids, const Rng& rng,
                          nn::Arena& arena) {
  const FeatureAugmentation& changes = source.recipe.training.augmentation;
  const Rng cropping = rng.fork(~std::uint64_t{0});
  const Shard shard = take_shard(source, ids, arena);
  for (Eigen::Index n = 0; n < shard.input.clips; ++n) {
    const int id = ids[n];
    const nn::MatrixMap clip = unpadded(shard.input, n);
    write_clip(source, id, source.voices.draw(id, clip_rng(rng, n, kListening)),
               drawn_from(clip_rng(cropping, n, kListening)), clip);
    write_answers(source.data, id, n, shard);
    const Partner partner = draw_partner(ids, changes.mixup, clip_rng(rng, n, kMixing));
    if (partner.id >= 0) {
      const nn::Arena::Mark scratch = arena.mark();
      const nn::Index frames = source.frames(partner.id);
      const nn::MatrixMap other(arena.take<nn::Real>(clip.rows() * frames), clip.rows(), frames);
      write_clip(source, partner.id,
                 source.voices.draw(partner.id, clip_rng(rng, n, kListeningOfOther)),
                 drawn_from(clip_rng(cropping, n, kListeningOfOther)), other);
      mix_in(nn::ConstMatrixMap(other.data(), other.rows(), other.cols()), partner.share, clip);
      arena.release(scratch);
      mix_answers(source, partner, n, shard);
    }
    Rng masking = clip_rng(rng, n, kMasking);
    mask(changes, source.data.spectral_rows, masking, clip);
  }
  smooth(source.tasks, source.recipe.training.label_smoothing, shard);
  shard.input.clear_padding();
  return shard;
}

Shard make_plain_shard(const ShardSource& source, std::span<const int> ids, nn::Arena& arena) {
  const Shard shard = take_shard(source, ids, arena);
  for (Eigen::Index n = 0; n < shard.input.clips; ++n) {
    write_clip(source, ids[n], {}, middle, unpadded(shard.input, n));
    write_answers(source.data, ids[n], n, shard);
  }
  shard.input.clear_padding();
  return shard;
}

}  // namespace ser
