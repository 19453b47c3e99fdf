#include "ser/features/functionals.h"

#include <algorithm>
#include <cmath>

namespace ser {

double quantile(const Eigen::VectorXd& sorted, double q) {
  if (sorted.size() == 0) return 0;
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<Eigen::Index>(position);
  const Eigen::Index above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double line_slope(const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
  if (x.size() < 2) return 0;
  const Eigen::ArrayXd centred = x.array() - x.mean();
  const double spread = centred.square().sum();
  return spread > 0 ? (centred * (y.array() - y.mean())).sum() / spread : 0;
}

Eigen::VectorXd functionals(const Eigen::VectorXd& times_s, const Eigen::VectorXd& values) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(kFunctionals.size());
  if (values.size() == 0) return result;
  const double mean = values.mean();
  const Eigen::Index third = (values.size() + 2) / 3;
  const Eigen::ArrayXd centred = values.array() - mean;
  const double sd = std::sqrt(centred.square().mean());
  const bool varies = sd > 1e-9 * (1e-6 + std::abs(mean));
  Eigen::VectorXd sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double p05 = quantile(sorted, 0.05), p95 = quantile(sorted, 0.95);
  result << mean, sd, varies ? (centred / sd).cube().mean() : 0, p05, quantile(sorted, 0.2),
      quantile(sorted, 0.5), quantile(sorted, 0.8), p95, p95 - p05, line_slope(times_s, values),
      values.head(third).mean() - mean, values.tail(third).mean() - mean;
  return result;
}

}  // namespace ser
