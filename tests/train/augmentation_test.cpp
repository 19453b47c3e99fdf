#include "train/shard.h"

#include <gtest/gtest.h>

namespace ser {
namespace {

TEST(Masks, ZeroNoMoreThanTheyMay) {
  FeatureAugmentation options;
  options.time_masks = 1;
  options.time_mask_frames = 5;
  options.band_masks = 1;
  options.band_mask_rows = 3;
  Rng rng(1, 0);
  int masked = 0;
  for (int i = 0; i < 50; ++i) {
    nn::Matrix clip = nn::Matrix::Ones(8, 30);
    mask(options, 6, rng, nn::MatrixMap(clip.data(), 8, 30));
    const auto zero_frames = (clip.colwise().sum().array() == 0).count();
    const auto zero_bands = (clip.rowwise().sum().array() == 0).count();
    EXPECT_LE(zero_frames, 5);
    EXPECT_LE(zero_bands, 3);
    EXPECT_GT(clip(7, 0) + clip(7, 29), 0) << "rows that are no bands are not masked as bands";
    masked += zero_frames > 0 || zero_bands > 0;
  }
  EXPECT_GT(masked, 25);
}

}  // namespace
}  // namespace ser
