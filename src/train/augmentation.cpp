#include "train/augmentation.h"

#include <algorithm>

namespace ser {
namespace {

struct Run {
  Eigen::Index begin = 0;
  Eigen::Index count = 0;
};

/// Up to `longest` neighbouring positions among `size`.
Run draw_run(Eigen::Index size, int longest, Rng& rng) {
  const auto limit = std::min<Eigen::Index>(longest, size);
  const auto count = static_cast<Eigen::Index>(rng.below(static_cast<std::uint64_t>(limit) + 1));
  const auto begin =
      static_cast<Eigen::Index>(rng.below(static_cast<std::uint64_t>(size - count) + 1));
  return {begin, count};
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

}  // namespace ser
