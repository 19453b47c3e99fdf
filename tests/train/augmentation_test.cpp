#include "train/augmentation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ser {
namespace {

using FrameMap = nn::MatrixMap;

Eigen::MatrixXf ramp(Eigen::Index rows, Eigen::Index frames) {
  Eigen::MatrixXf clip(rows, frames);
  for (Eigen::Index t = 0; t < frames; ++t)
    for (Eigen::Index row = 0; row < rows; ++row) clip(row, t) = static_cast<float>(row + 100 * t);
  return clip;
}

nn::Matrix stretched(const Eigen::MatrixXf& clip, const Stretch& stretch, Eigen::Index frames,
                     Eigen::Index spectral_rows) {
  nn::Matrix out(clip.rows(), frames);
  write_stretched(clip, stretch, spectral_rows, FrameMap(out.data(), clip.rows(), frames));
  return out;
}

TEST(Stretch, OfNothingIsACopy) {
  const Eigen::MatrixXf clip = ramp(4, 9);
  EXPECT_EQ(stretched(clip, {}, 9, 4), clip);
}

TEST(Stretch, KeepsALineALine) {
  const nn::Matrix twice = stretched(ramp(1, 10), {}, 20, 1);
  for (Eigen::Index t = 1; t < 19; ++t)
    EXPECT_NEAR(twice(0, t), 100 * ((static_cast<double>(t) + 0.5) / 2 - 0.5), 1e-3);
}

TEST(Stretch, MovesSpectralRowsByWholeBandsAndRepeatsEdges) {
  const Eigen::MatrixXf clip = ramp(6, 1);
  nn::Matrix up(6, 1), down(6, 1);
  up << 0, 0, 0, 1, 4, 5;  // the last two rows are no bands
  down << 2, 3, 3, 3, 4, 5;
  EXPECT_EQ(stretched(clip, {1, 2}, 1, 4), up);
  EXPECT_EQ(stretched(clip, {1, -2}, 1, 4), down);
  EXPECT_EQ(stretched(clip, {1, 40}, 1, 4).topRows(4), nn::Matrix::Zero(4, 1));
}

TEST(Crop, StaysInside) {
  FeatureAugmentation options;
  options.crop_frames = 10;
  Rng rng(1, 0);
  for (int i = 0; i < 100; ++i) {
    const Crop crop = draw_crop(25, options, rng);
    EXPECT_GE(crop.begin, 0);
    EXPECT_EQ(crop.count, 10);
    EXPECT_LE(crop.begin + crop.count, 25);
  }
  EXPECT_EQ(draw_crop(7, options, rng).count, 7);
}

TEST(Filter, AddsOneCurveOverTheBandsToEveryFrame) {
  FeatureAugmentation options;
  options.filter = 0.5;
  Rng rng(1, 0);
  nn::Matrix clip = nn::Matrix::Zero(10, 6);
  mask_and_perturb(options, 9, rng, FrameMap(clip.data(), 10, 6));
  EXPECT_EQ(clip, clip.col(0).replicate(1, 6));
  EXPECT_EQ(clip(9, 0), 0);  // no band
  const auto curve = clip.col(0).head(9);
  EXPECT_LE(curve.cwiseAbs().maxCoeff(), 0.5);
  EXPECT_GT(curve.cwiseAbs().maxCoeff(), 0);
  EXPECT_NEAR(curve[1], (curve[0] + curve[2]) / 2, 1e-6);  // knots at every second band
  EXPECT_GT(std::abs(curve[2] - (curve[0] + curve[4]) / 2), 1e-3);
}

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
    mask_and_perturb(options, 6, rng, FrameMap(clip.data(), 8, 30));
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
