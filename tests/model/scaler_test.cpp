#include "ser/model/scaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;
using Kind = ScalerOptions::Kind;

TEST(Scaler, RowsGetZeroMeanAndUnitVariance) {
  Eigen::MatrixXf a(2, 2), b(2, 2);
  a << 1, 3, 100, 300;
  b << 5, 7, 500, 700;
  ScalerFit fit;
  fit.add(a);
  fit.add(b);
  const Scaler scaler = fit.finish({Kind::kRows, 0});
  Eigen::MatrixXf all(2, 4);
  all << scaler.apply(a), scaler.apply(b);
  EXPECT_NEAR(all.row(0).mean(), 0, 1e-6);
  EXPECT_NEAR(all.row(0).squaredNorm() / 4, 1, 1e-6);
  EXPECT_TRUE(all.row(1).isApprox(all.row(0)));
}

TEST(Scaler, RowThatNeverChangesSaysNothing) {
  ScalerFit fit;
  fit.add(Eigen::MatrixXf::Constant(1, 5, 1e6f));
  const Scaler scaler = fit.finish({Kind::kRows, 0});
  EXPECT_EQ(scaler.apply(Eigen::MatrixXf::Constant(1, 1, 3e6f))(0, 0), 0);
}

TEST(Scaler, LimitCutsBothSides) {
  ScalerFit fit;
  fit.add((Eigen::MatrixXf(1, 2) << -1, 1).finished());
  const Scaler scaler = fit.finish({Kind::kRows, 2});
  EXPECT_EQ(scaler.apply(Eigen::MatrixXf::Constant(1, 1, 50))(0, 0), 2);
  EXPECT_EQ(scaler.apply(Eigen::MatrixXf::Constant(1, 1, -50))(0, 0), -2);
}

TEST(Scaler, TakesAnOffsetInScaledUnitsBeforeTheCut) {
  const Scaler scaler({Kind::kRows, 2}, Eigen::VectorXf::Ones(1), Eigen::VectorXf::Constant(1, 2));
  const Eigen::MatrixXf clip = Eigen::MatrixXf::Constant(1, 3, 4);  // scaled 6
  EXPECT_EQ(scaler.apply(clip, Eigen::VectorXf::Constant(1, 5)), Eigen::MatrixXf::Ones(1, 3));
  EXPECT_EQ(scaler.standardise(Eigen::VectorXd::Constant(1, 4))(0), 6);
  EXPECT_EQ(Scaler().standardise(Eigen::VectorXd::Constant(1, 4))(0), 4);
}

TEST(Scaler, ScalesBelowZeroAreRefused) {
  EXPECT_ERROR(Scaler({Kind::kRows, 0}, Eigen::VectorXf::Zero(1), Eigen::VectorXf::Constant(1, -2)),
               HasSubstr("expected scales from 0, found -2"));
}

TEST(Scaler, OtherRowsAreRefused) {
  ScalerFit fit;
  fit.add(Eigen::MatrixXf::Random(3, 4));
  const Scaler scaler = fit.finish({Kind::kRows, 0});
  EXPECT_ERROR(scaler.apply(Eigen::MatrixXf::Random(2, 4)), HasSubstr("expected 3 rows, found 2"));
}

}  // namespace
}  // namespace ser
