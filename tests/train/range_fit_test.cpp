#include "train/range_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "support/errors.h"
#include "support/synthetic_table.h"

namespace ser {
namespace {

std::vector<int> all_clips(const FeatureTable& table) {
  std::vector<int> clips(table.size());
  std::iota(clips.begin(), clips.end(), 0);
  return clips;
}

TEST(TrainingRange, ItsOwnClipsAreWithinAFifthOfTheLimit) {
  for (const int frames : {0, 12}) {
    const FeatureTable table = synthetic_table(6, 4, frames);
    const TrainingRange range = fit_training_range(table, all_clips(table));
    double furthest = 0;
    for (std::size_t i = 0; i < table.size(); ++i)
      furthest = std::max(furthest, distance(range, table.clip(i)));
    EXPECT_NEAR(furthest, 1 / 1.2, 1e-6) << frames;
  }
}

TEST(TrainingRange, NewSpeakersAreWithinAndOtherSoundsBeyondIt) {
  const FeatureTable table = synthetic_table(10, 4);
  std::vector<int> first_eight = all_clips(table);
  first_eight.resize(first_eight.size() * 8 / 10);
  const TrainingRange range = fit_training_range(table, first_eight);
  for (std::size_t i = first_eight.size(); i < table.size(); ++i)
    EXPECT_LT(distance(range, table.clip(i)), 1);
  EXPECT_GT(distance(range, table.clip(0).array() + 10), 1);
}

TEST(TrainingRange, DistanceIsTheRootMeanSquareOfScaledFeatures) {
  // Means 0 and 10, deviations 1 and 2: the vector (3, 2) is scaled to (3, -4).
  FeatureTable table = synthetic_table(1, 1);
  table.values = Eigen::MatrixXf(2, 2);
  table.values << -1, 1, 8, 12;
  table.offsets = {0, 1, 2};
  const TrainingRange range = fit_training_range(table, {0, 1});
  EXPECT_NEAR(range.limit, 1.2, 1e-6);
  EXPECT_NEAR(distance(range, Eigen::Vector2f(3, 2)), std::sqrt(12.5) / 1.2, 1e-6);
}

TEST(TrainingRange, FramesCountByTheirMeansAndDeviations) {
  const FeatureTable table = synthetic_table(4, 4, 12);
  const TrainingRange range = fit_training_range(table, all_clips(table));
  const Eigen::MatrixXf clip = table.clip(0);
  EXPECT_NEAR(distance(range, clip.rowwise().reverse()), distance(range, clip), 1e-6);
  const Eigen::MatrixXf still = clip.rowwise().mean().replicate(1, clip.cols());
  EXPECT_GT(distance(range, still), distance(range, clip));
}

TEST(TrainingRange, NothingIsKnownWithoutOne) {
  EXPECT_EQ(distance({}, Eigen::MatrixXf::Constant(3, 1, 1e6f)), 0);
}

TEST(TrainingRange, RefusesOtherFeatures) {
  const FeatureTable table = synthetic_table(2, 2);
  const TrainingRange range = fit_training_range(table, all_clips(table));
  EXPECT_ERROR(distance(range, Eigen::VectorXf::Zero(7)), testing::HasSubstr("rows, found 7"));
}

}  // namespace
}  // namespace ser
