#include "train/augmentation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ser {
namespace {

constexpr Eigen::Index kFilterKnots = 5;

/// A run of up to `longest` positions among `size`.
Crop draw_run(Eigen::Index size, int longest, Rng& rng) {
  const auto limit = std::min<Eigen::Index>(longest, size);
  const auto count = static_cast<Eigen::Index>(rng.below(static_cast<std::uint64_t>(limit) + 1));
  const auto begin =
      static_cast<Eigen::Index>(rng.below(static_cast<std::uint64_t>(size - count) + 1));
  return {begin, count};
}

/// Where output position i reads from: index of the left neighbour and share of the right one.
struct Between {
  Eigen::Index left;
  Eigen::Index right;
  nn::Real share;
};
Between between(double position, Eigen::Index size) {
  const double inside = std::clamp(position, 0.0, static_cast<double>(size - 1));
  const auto left = static_cast<Eigen::Index>(inside);
  return {left, std::min(left + 1, size - 1),
          static_cast<nn::Real>(inside - static_cast<double>(left))};
}

/// The frames of `clip` at as many even steps as `out` has frames.
void stretch_frames(const Eigen::Ref<const Eigen::MatrixXf>& clip, nn::MatrixMap out) {
  if (out.cols() == clip.cols()) {
    out = clip.cast<nn::Real>();
    return;
  }
  const double step = static_cast<double>(clip.cols()) / static_cast<double>(out.cols());
  for (Eigen::Index t = 0; t < out.cols(); ++t) {
    const Between at = between((static_cast<double>(t) + 0.5) * step - 0.5, clip.cols());
    out.col(t) = (1 - at.share) * clip.col(at.left).cast<nn::Real>() +
                 at.share * clip.col(at.right).cast<nn::Real>();
  }
}

/// A curve over the bands through random values at evenly spaced knots.
nn::Vector draw_filter(double largest, Eigen::Index bands, Rng& rng) {
  Eigen::Matrix<nn::Real, kFilterKnots, 1> knots;
  for (nn::Real& knot : knots) knot = static_cast<nn::Real>(rng.uniform(-largest, largest));
  nn::Vector curve(bands);
  const double step = (kFilterKnots - 1.0) / std::max<double>(1, static_cast<double>(bands - 1));
  for (Eigen::Index b = 0; b < bands; ++b) {
    const Between at = between(static_cast<double>(b) * step, kFilterKnots);
    curve[b] = (1 - at.share) * knots[at.left] + at.share * knots[at.right];
  }
  return curve;
}

}  // namespace

Crop draw_crop(Eigen::Index frames, const FeatureAugmentation& options, Rng& rng) {
  if (options.crop_frames == 0 || frames <= options.crop_frames) return {0, frames};
  const auto room = static_cast<std::uint64_t>(frames - options.crop_frames);
  return {static_cast<Eigen::Index>(rng.below(room + 1)), options.crop_frames};
}

Stretch draw_stretch(const FeatureAugmentation& options, Rng& rng) {
  Stretch stretch;
  if (options.time_stretch > 0)
    stretch.factor = rng.uniform(1 - options.time_stretch, 1 + options.time_stretch);
  if (options.band_shift > 0) {
    const auto choices = 2 * static_cast<std::uint64_t>(options.band_shift) + 1;
    stretch.shift = static_cast<Eigen::Index>(rng.below(choices)) - options.band_shift;
  }
  return stretch;
}

void write_stretched(const Eigen::Ref<const Eigen::MatrixXf>& clip, const Stretch& stretch,
                     Eigen::Index spectral_rows, nn::MatrixMap out) {
  stretch_frames(clip, out);
  if (stretch.shift == 0) return;
  const Eigen::Index up = std::clamp(stretch.shift, Eigen::Index{0}, spectral_rows - 1);
  const Eigen::Index down = std::clamp(-stretch.shift, Eigen::Index{0}, spectral_rows - 1);
  const Eigen::Index kept = spectral_rows - up - down;
  for (Eigen::Index t = 0; t < out.cols(); ++t) {
    nn::Real* const frame = out.col(t).data();
    std::memmove(frame + up, frame + down, static_cast<std::size_t>(kept) * sizeof(nn::Real));
    std::fill(frame, frame + up, frame[up]);
    std::fill(frame + up + kept, frame + spectral_rows, frame[up + kept - 1]);
  }
}

void mask_and_perturb(const FeatureAugmentation& options, Eigen::Index spectral_rows, Rng& rng,
                      nn::MatrixMap clip) {
  if (options.gain > 0)
    clip.topRows(spectral_rows).array() +=
        static_cast<nn::Real>(rng.uniform(-options.gain, options.gain));
  if (options.filter > 0)
    clip.topRows(spectral_rows).colwise() += draw_filter(options.filter, spectral_rows, rng);
  if (options.noise > 0)
    for (Eigen::Index i = 0; i < clip.size(); ++i)
      clip.data()[i] += static_cast<nn::Real>(options.noise * rng.normal());
  for (int mask = 0; mask < options.time_masks; ++mask) {
    const Crop run = draw_run(clip.cols(), options.time_mask_frames, rng);
    clip.middleCols(run.begin, run.count).setZero();
  }
  for (int mask = 0; mask < options.band_masks; ++mask) {
    const Crop run = draw_run(spectral_rows, options.band_mask_rows, rng);
    clip.middleRows(run.begin, run.count).setZero();
  }
}

}  // namespace ser
