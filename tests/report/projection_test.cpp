#include "report/projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ser/core/parallel.h"
#include "ser/core/rng.h"

namespace ser::report {
namespace {

/// Points around `clusters` centres, one cluster after the other.
Eigen::MatrixXd clustered(int clusters, int size, int dimensions) {
  Rng rng(3, 0);
  Eigen::MatrixXd points(dimensions, clusters * size);
  for (int c = 0; c < clusters; ++c) {
    Eigen::VectorXd centre(dimensions);
    for (double& x : centre) x = 4 * rng.normal();
    for (int i = 0; i < size; ++i)
      for (int d = 0; d < dimensions; ++d) points(d, c * size + i) = centre[d] + rng.normal();
  }
  return points;
}

TEST(PrincipalComponents, FindTheAxesOfAnEllipsoid) {
  Rng rng(1, 0);
  Eigen::MatrixXd points(3, 500);
  for (Eigen::Index i = 0; i < points.cols(); ++i)
    points.col(i) << rng.normal(), 10 * rng.normal() + 5, 3 * rng.normal();
  const PrincipalComponents found = principal_components(points, 2);
  const Eigen::RowVectorXd second = points.row(1).array() - points.row(1).mean();
  EXPECT_NEAR(std::abs(found.scores.row(0).normalized().dot(second.normalized())), 1, 1e-3);
  EXPECT_NEAR(found.shares[0], 100.0 / 110, 0.03);
  EXPECT_NEAR(found.shares[1], 9.0 / 110, 0.03);
}

TEST(PrincipalComponents, KeepAllOfTheVarianceWhenAllAreKept) {
  const Eigen::MatrixXd points = clustered(2, 20, 5);
  const PrincipalComponents found = principal_components(points, 5);
  EXPECT_NEAR(found.shares.sum(), 1, 1e-9);
  EXPECT_NEAR((found.scores.col(3) - found.scores.col(17)).norm(),
              (points.col(3) - points.col(17)).norm(), 1e-9);
}

TEST(PrincipalComponents, AreAsManyAsThereCanBe) {
  EXPECT_EQ(principal_components(clustered(1, 3, 40), 30).scores.rows(), 3);
  EXPECT_EQ(principal_components(clustered(1, 30, 1), 30).scores.rows(), 1);
}

TEST(TSne, KeepsClustersTogether) {
  constexpr int kSize = 40;
  const Eigen::MatrixXd map = t_sne(clustered(4, kSize, 20), 0);
  for (Eigen::Index i = 0; i < map.cols(); ++i) {
    Eigen::VectorXd distances = (map.colwise() - map.col(i)).colwise().squaredNorm();
    distances[i] = 1e9;
    Eigen::Index nearest = 0;
    distances.minCoeff(&nearest);
    EXPECT_EQ(nearest / kSize, i / kSize) << i;
  }
}

TEST(TSne, ThreadsChangeNoBit) {
  const MoreThreadsThanCores seven(8);
  const Eigen::MatrixXd points = clustered(3, 67, 6);
  const Eigen::MatrixXd one = t_sne(points, 1);
  for (const int threads : {2, 7}) EXPECT_EQ(t_sne(points, threads), one);
}

TEST(TSne, FewOrEqualPointsStayFinite) {
  for (const int points : {1, 2, 7, 8, 9})
    EXPECT_TRUE(t_sne(clustered(1, points, 4), 1).allFinite()) << points;
  EXPECT_TRUE(t_sne(Eigen::MatrixXd::Ones(4, 30), 1).allFinite());
  Eigen::MatrixXd twins = clustered(1, 20, 4).replicate(1, 2);
  EXPECT_TRUE(t_sne(twins, 1).allFinite());
}

}  // namespace
}  // namespace ser::report
