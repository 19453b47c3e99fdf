#include "ser/features/functionals.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ser {

double quantile(const Eigen::VectorXd& sorted, double q) {
  if (sorted.size() == 0) return 0;
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<Eigen::Index>(position);
  const Eigen::Index above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double quantile_of(Eigen::VectorXd values, double q) {
  std::sort(values.begin(), values.end());
  return quantile(values, q);
}

double line_slope(const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
  if (x.size() < 2) return 0;
  const Eigen::ArrayXd centred = x.array() - x.mean();
  const double spread = centred.square().sum();
  return spread > 0 ? (centred * (y.array() - y.mean())).sum() / spread : 0;
}

namespace {

/// Batcher's merge exchange (Knuth, The Art of Computer Programming, 5.2.2, algorithm M), which
/// compares the same positions whatever the values are: a column of each lane's row is one vector.
template <typename Lanes>
void sort_columns(Lanes& lanes) {
  const auto size = static_cast<std::size_t>(lanes.cols());
  const std::size_t widest = std::bit_ceil(size) / 2;
  for (std::size_t p = widest; p > 0; p /= 2) {
    std::size_t q = widest, r = 0, distance = p;
    while (true) {
      for (std::size_t i = 0; i + distance < size; ++i) {
        if ((i & p) != r) continue;
        auto low = lanes.col(static_cast<Eigen::Index>(i));
        auto high = lanes.col(static_cast<Eigen::Index>(i + distance));
        const auto smaller = low.min(high).eval();
        high = low.max(high).eval();
        low = smaller;
      }
      if (q == p) break;
      distance = q - p;
      q /= 2;
      r = p;
    }
  }
}

/// Points in time, as the slope of a line needs them.
struct Times {
  explicit Times(const Eigen::VectorXd& times_s)
      : centred(times_s.array() - (times_s.size() > 0 ? times_s.mean() : 0)),
        spread(centred.square().sum()) {}
  Eigen::ArrayXd centred;
  double spread;
};

Eigen::VectorXd functionals_of(const Times& times, const Eigen::VectorXd& values,
                               const Eigen::VectorXd& sorted) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(kFunctionals.size());
  if (values.size() == 0) return result;
  const double mean = values.mean();
  const Eigen::Index third = (values.size() + 2) / 3;
  const Eigen::ArrayXd centred = values.array() - mean;
  const double sd = std::sqrt(centred.square().mean());
  const bool varies = sd > 1e-9 * (1e-6 + std::abs(mean));
  const bool slopes = values.size() > 1 && times.spread > 0;
  const double p05 = quantile(sorted, 0.05), p95 = quantile(sorted, 0.95);
  result << mean, sd, varies ? (centred / sd).cube().mean() : 0, p05, quantile(sorted, 0.2),
      quantile(sorted, 0.5), quantile(sorted, 0.8), p95, p95 - p05,
      slopes ? (times.centred * centred).sum() / times.spread : 0, values.head(third).mean() - mean,
      values.tail(third).mean() - mean;
  return result;
}

}  // namespace

FrameMatrix sorted_rows(const FrameMatrix& rows) {
  constexpr Eigen::Index kLanes = 16;
  FrameMatrix sorted(rows.rows(), rows.cols());
  Eigen::Array<float, kLanes, Eigen::Dynamic> lanes(kLanes, rows.cols());
  lanes.setZero();
  for (Eigen::Index first = 0; first < rows.rows(); first += kLanes) {
    const Eigen::Index count = std::min(kLanes, rows.rows() - first);
    lanes.topRows(count) = rows.middleRows(first, count).array();
    sort_columns(lanes);
    sorted.middleRows(first, count) = lanes.topRows(count).matrix();
  }
  return sorted;
}

Eigen::VectorXd functionals(const Eigen::VectorXd& times_s, const Eigen::VectorXd& values) {
  Eigen::VectorXd sorted = values;
  std::sort(sorted.begin(), sorted.end());
  return functionals_of(Times(times_s), values, sorted);
}

FrameMatrix functionals_of_rows(const Eigen::VectorXd& times_s, const FrameMatrix& rows) {
  const Times times(times_s);
  const FrameMatrix sorted = sorted_rows(rows);
  FrameMatrix result(rows.rows(), kFunctionals.size());
  for (Eigen::Index r = 0; r < rows.rows(); ++r) {
    const Eigen::VectorXd values = rows.row(r).transpose().cast<double>();
    result.row(r) =
        functionals_of(times, values, sorted.row(r).transpose().cast<double>()).cast<float>();
  }
  return result;
}

}  // namespace ser
