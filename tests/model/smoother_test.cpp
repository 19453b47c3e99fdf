#include "ser/model/listener.h"

#include <gmock/gmock.h>

#include <cmath>

#include "support/errors.h"

namespace ser {
namespace {

using ::testing::HasSubstr;

ClipPrediction prediction(double first) {
  return {Eigen::Vector2d(first, 1 - first), Eigen::Vector2d(1 - first, first)};
}

TEST(PredictionSmoother, FollowsAStepWithItsTimeConstant) {
  PredictionSmoother smoother(2, 0.5);
  smoother.add(prediction(0));
  ClipPrediction smooth;
  for (int hop = 0; hop < 4; ++hop) smooth = smoother.add(prediction(1));
  EXPECT_NEAR(smooth.emotions(0), 1 - std::exp(-1), 1e-12);
  EXPECT_NEAR(smooth.emotions.sum(), 1, 1e-12);
  EXPECT_NEAR(smooth.genders(1), 1 - std::exp(-1), 1e-12);
}

TEST(PredictionSmoother, StartsAfreshAfterAReset) {
  PredictionSmoother smoother(2, 0.5);
  EXPECT_EQ(smoother.add(prediction(0.3)).emotions(0), 0.3);
  smoother.reset();
  EXPECT_EQ(smoother.add(prediction(0.8)).emotions(0), 0.8);
}

TEST(PredictionSmoother, LeavesPredictionsAsTheyAreWithoutATimeConstant) {
  PredictionSmoother smoother(0, 0.5);
  smoother.add(prediction(0.1));
  EXPECT_EQ(smoother.add(prediction(0.9)).emotions(0), 0.9);
}

TEST(PredictionSmoother, RefusesNegativeTimes) {
  EXPECT_ERROR(PredictionSmoother(-1, 0.5), HasSubstr("expected at least 0 s, found -1"));
  EXPECT_ERROR(PredictionSmoother(std::nan(""), 0.5), HasSubstr("expected at least 0 s"));
}

}  // namespace
}  // namespace ser
