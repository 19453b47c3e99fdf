#include "ser/nn/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ser/core/error.h"
#include "support/errors.h"

namespace ser::nn {
namespace {

using testing::HasSubstr;

Vector vector(std::initializer_list<Real> values) {
  Vector v(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), v.data());
  return v;
}

TEST(Optimizer, AdamsFirstStepIsTheLearningRate) {
  OptimizerOptions options;
  options.kind = OptimizerOptions::Kind::kAdam;
  options.weight_decay = 0;
  Optimizer optimizer(options, vector({1, 1}));
  Vector p = vector({0, 0});
  optimizer.step(p, vector({1e-3f, -50}), 0.01);
  EXPECT_NEAR(p(0), -0.01, 1e-6);
  EXPECT_NEAR(p(1), 0.01, 1e-6);
}

TEST(Optimizer, AdamWDecaysApartFromTheGradient) {
  OptimizerOptions options;
  options.weight_decay = 0.5;
  Optimizer optimizer(options, vector({1, 0}));
  Vector p = vector({2, 2});
  optimizer.step(p, vector({0, 0}), 0.1);
  EXPECT_FLOAT_EQ(p(0), 1.9f);
  EXPECT_FLOAT_EQ(p(1), 2.0f);
}

TEST(Optimizer, LongVectorsAreMovedToTheirEnd) {
  const Index size = 5008;
  Optimizer optimizer(OptimizerOptions{}, Vector::Ones(size));
  Vector p = Vector::Constant(size, 2);
  for (int i = 0; i < 3; ++i) optimizer.step(p, Vector::Ones(size), 0.1);
  EXPECT_LT(p(0), 1.75);
  EXPECT_EQ(p, Vector::Constant(size, p(0)));
}

TEST(Optimizer, RestoreRefusesOtherSizes) {
  Optimizer optimizer(OptimizerOptions{}, vector({1, 1}));
  EXPECT_THROW(optimizer.restore(1, {vector({0}), vector({0, 0})}), Error);
}

TEST(Optimizer, OptionsOutOfRangeAreNamed) {
  OptimizerOptions options;
  options.beta1 = 1;
  EXPECT_ERROR(Optimizer(options, vector({1, 1})),
               HasSubstr("option 'beta1': expected a number in [0, 1), found 1"));
}

TEST(ClipGradient, BoundsTheNorm) {
  Vector g = vector({3, 4});
  EXPECT_FLOAT_EQ(static_cast<float>(clip_gradient(g, 1)), 5);
  EXPECT_FLOAT_EQ(g.norm(), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(clip_gradient(g, 2)), 1);
  EXPECT_FLOAT_EQ(g.norm(), 1);
}

TEST(ClipGradient, SumsItsNormInDouble) {
  Vector g = Vector::Constant(1 << 24, 1e-3f);
  g(0) = 64;  // single precision would lose the small terms beside its square
  EXPECT_NEAR(clip_gradient(g, 1e9), std::sqrt(64.0 * 64.0 + (g.size() - 1) * 1e-6), 1e-6);
}

TEST(Schedule, HitsItsMarks) {
  ScheduleOptions options;
  EXPECT_NEAR(schedule_factor(options, 0), 0.04, 1e-12);
  EXPECT_NEAR(schedule_factor(options, 0.15), 0.52, 1e-12);
  EXPECT_NEAR(schedule_factor(options, 0.3), 1, 1e-12);
  EXPECT_NEAR(schedule_factor(options, 0.65), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor(options, 1), 0, 1e-12);
  options.kind = ScheduleOptions::Kind::kConstant;
  EXPECT_DOUBLE_EQ(schedule_factor(options, 0.7), 1);
}

}  // namespace
}  // namespace ser::nn
