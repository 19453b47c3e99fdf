#include "report/projection.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "ser/core/hash.h"
#include "ser/core/parallel.h"
#include "ser/core/rng.h"

namespace ser::report {
namespace {

Eigen::MatrixXd orthonormal(const Eigen::MatrixXd& columns) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(columns);
  return qr.householderQ() * Eigen::MatrixXd::Identity(columns.rows(), columns.cols());
}

constexpr double kMostPerplexity = 30;
constexpr int kIterations = 750;
constexpr int kExaggeratedIterations = 250;
constexpr double kExaggeration = 12;
constexpr Eigen::Index kRowsAUnit = 64;

/// Calls body(i) for every row, in parallel by units of fixed size.
template <typename Body>
void for_each_row(Eigen::Index rows, int threads, const Body& body) {
  const std::size_t units = (rows + kRowsAUnit - 1) / kRowsAUnit;
  parallel_for(units, threads, [&](std::size_t unit) {
    const Eigen::Index begin = static_cast<Eigen::Index>(unit) * kRowsAUnit;
    for (Eigen::Index i = begin; i < std::min(rows, begin + kRowsAUnit); ++i) body(i);
  });
}

/// Probabilities of the neighbours at these squared distances: a Gaussian whose width gives the
/// perplexity wanted, found by bisection.
Eigen::ArrayXd neighbours(const Eigen::ArrayXd& distances, double perplexity) {
  const Eigen::ArrayXd beyond = distances - distances.minCoeff();
  double precision = 1 / std::max(1e-12, beyond.mean());
  double low = 0, high = 0;  // high 0: not known yet
  Eigen::ArrayXd p;
  for (int step = 0; step < 60; ++step) {
    p = (-precision * beyond).exp();
    const double sum = p.sum();
    const double entropy = std::log(sum) + precision * (p * beyond).sum() / sum;
    p /= sum;
    const double excess = entropy - std::log(perplexity);
    if (std::abs(excess) < 1e-5) break;
    (excess > 0 ? low : high) = precision;
    precision = high > 0 ? (low + high) / 2 : precision * 2;
  }
  return p;
}

/// Joint probabilities of pairs, [points x points]; they sum to 1.
Eigen::MatrixXd joint_probabilities(const Eigen::MatrixXd& points, int threads) {
  const Eigen::Index n = points.cols();
  const double perplexity = std::min(kMostPerplexity, static_cast<double>(n - 1) / 3);
  Eigen::MatrixXd p = Eigen::MatrixXd::Zero(n, n);
  for_each_row(n, threads, [&](Eigen::Index i) {
    const Eigen::VectorXd distances =
        (points.colwise() - points.col(i)).colwise().squaredNorm().transpose();
    const Eigen::Index after = n - i - 1;
    Eigen::ArrayXd others(n - 1);
    others << distances.head(i), distances.tail(after);
    others = neighbours(others, perplexity);
    p.col(i).head(i) = others.head(i);
    p.col(i).tail(after) = others.tail(after);
  });
  return (p + p.transpose()) / (2 * static_cast<double>(n));
}

/// Gradient of the Kullback-Leibler divergence by the positions (van der Maaten and Hinton 2008,
/// eq. 5), the attraction multiplied by `exaggeration`.
Eigen::MatrixXd gradient(const Eigen::MatrixXd& joint, const Eigen::MatrixXd& map,
                         double exaggeration, int threads) {
  const Eigen::Index n = map.cols();
  const Eigen::ArrayXd x = map.row(0), y = map.row(1);
  Eigen::MatrixXd attraction(2, n), repulsion(2, n);
  Eigen::VectorXd totals(n);
  for_each_row(n, threads, [&](Eigen::Index i) {
    const Eigen::ArrayXd dx = x[i] - x, dy = y[i] - y;
    const Eigen::ArrayXd closeness = (1 + dx.square() + dy.square()).inverse();
    const Eigen::ArrayXd pull = joint.col(i).array() * closeness, push = closeness.square();
    attraction.col(i) << (pull * dx).sum(), (pull * dy).sum();
    repulsion.col(i) << (push * dx).sum(), (push * dy).sum();
    totals[i] = closeness.sum() - 1;
  });
  return 4 * (exaggeration * attraction - repulsion / totals.sum());
}

}  // namespace

PrincipalComponents principal_components(const Eigen::MatrixXd& points, Eigen::Index count) {
  constexpr Eigen::Index kOversampling = 10;
  constexpr int kPasses = 8;
  const Eigen::Index width = std::min({count + kOversampling, points.rows(), points.cols()});
  const Eigen::MatrixXd centred = points.colwise() - points.rowwise().mean();
  Rng rng(0, fnv1a("principal components"));
  Eigen::MatrixXd basis(points.rows(), width);
  for (Eigen::Index i = 0; i < basis.size(); ++i) basis.data()[i] = rng.normal();
  basis = orthonormal(basis);
  for (int pass = 0; pass < kPasses; ++pass)
    basis = orthonormal(centred * (centred.transpose() * basis));

  const Eigen::MatrixXd inside = basis.transpose() * centred;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(inside * inside.transpose());
  const Eigen::Index kept = std::min(count, width);
  PrincipalComponents result;
  // Eigenvalues come in rising order.
  result.scores = eigen.eigenvectors().rightCols(kept).rowwise().reverse().transpose() * inside;
  const double total = centred.squaredNorm();
  result.shares = eigen.eigenvalues().tail(kept).reverse().cwiseMax(0) / (total > 0 ? total : 1);
  for (auto row : result.scores.rowwise()) {
    Eigen::Index largest = 0;
    row.cwiseAbs().maxCoeff(&largest);
    if (row[largest] < 0) row = -row;
  }
  return result;
}

Eigen::MatrixXd t_sne(const Eigen::MatrixXd& points, int threads) {
  constexpr Eigen::Index kDimensions = 30;
  const Eigen::Index n = points.cols();
  const Eigen::MatrixXd components = principal_components(points, kDimensions).scores;
  Eigen::MatrixXd map = Eigen::MatrixXd::Zero(2, n);
  const Eigen::Index known = std::min<Eigen::Index>(2, components.rows());
  map.topRows(known) = components.topRows(known);
  const double spread = std::sqrt(map.row(0).squaredNorm() / static_cast<double>(n));
  if (n < kFewestPoints || !(spread > 0)) return map;
  map *= 1e-4 / spread;

  const Eigen::MatrixXd joint = joint_probabilities(components, threads);
  const double rate = std::max(static_cast<double>(n) / kExaggeration / 4, 50.0);
  Eigen::MatrixXd velocity = Eigen::MatrixXd::Zero(2, n), gains = Eigen::MatrixXd::Ones(2, n);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const bool early = iteration < kExaggeratedIterations;
    const Eigen::MatrixXd slope = gradient(joint, map, early ? kExaggeration : 1, threads);
    // Steps grow where the slope keeps its sign (Jacobs 1988).
    for (Eigen::Index i = 0; i < gains.size(); ++i) {
      double& gain = gains.data()[i];
      const bool same = (slope.data()[i] > 0) == (velocity.data()[i] > 0);
      gain = std::max(0.01, same ? gain * 0.8 : gain + 0.2);
    }
    velocity = (early ? 0.5 : 0.8) * velocity - rate * gains.cwiseProduct(slope);
    map += velocity;
    map.colwise() -= map.rowwise().mean().eval();
  }
  return map;
}

}  // namespace ser::report
