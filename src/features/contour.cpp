#include "features/contour.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace ser {

std::vector<Segment> segments(const std::vector<bool>& inside) {
  std::vector<Segment> found;
  const auto count = static_cast<Eigen::Index>(inside.size());
  for (Eigen::Index t = 0; t < count; ++t) {
    if (!inside[static_cast<std::size_t>(t)]) continue;
    const Eigen::Index begin = t;
    while (t < count && inside[static_cast<std::size_t>(t)]) ++t;
    found.push_back({begin, t});
  }
  return found;
}

Eigen::VectorXd sixths(const Eigen::VectorXd& values, const std::vector<bool>& inside,
                       double fallback) {
  constexpr Eigen::Index kParts = 6;
  Eigen::VectorXd sums = Eigen::VectorXd::Zero(kParts), counts = sums;
  for (Eigen::Index t = 0; t < values.size(); ++t) {
    if (!inside[static_cast<std::size_t>(t)]) continue;
    const Eigen::Index part = t * kParts / values.size();
    sums[part] += values[t];
    ++counts[part];
  }
  return (counts.array() > 0).select(sums.array() / counts.array().max(1), fallback);
}

std::vector<Eigen::Index> prominent_peaks(const Eigen::VectorXd& values, double prominence) {
  std::vector<Eigen::Index> peaks;
  if (values.size() == 0) return peaks;
  double valley = values[0];
  Eigen::Index candidate = -1;
  for (Eigen::Index t = 0; t < values.size(); ++t) {
    if (candidate < 0) {
      valley = std::min(valley, values[t]);
      if (values[t] >= valley + prominence) candidate = t;
    } else if (values[t] > values[candidate]) {
      candidate = t;
    } else if (values[t] <= values[candidate] - prominence) {
      peaks.push_back(candidate);
      valley = values[t];
      candidate = -1;
    }
  }
  if (candidate >= 0) peaks.push_back(candidate);
  return peaks;
}

Eigen::VectorXd smoothed(const Eigen::VectorXd& values, Eigen::Index half_width) {
  Eigen::VectorXd result(values.size());
  for (Eigen::Index t = 0; t < values.size(); ++t) {
    const Eigen::Index begin = std::max<Eigen::Index>(0, t - half_width);
    const Eigen::Index end = std::min(values.size(), t + half_width + 1);
    result[t] = values.segment(begin, end - begin).mean();
  }
  return result;
}

double modulation(const Eigen::VectorXd& values, double hop_s, double low_hz, double high_hz) {
  const Eigen::VectorXd centred = values.array() - values.mean();
  const double variance = centred.squaredNorm();
  if (!(variance > 1e-12)) return 0;
  const auto count = static_cast<double>(values.size());
  double inside = 0;
  const auto first = static_cast<int>(std::ceil(low_hz * count * hop_s));
  for (int k = std::max(1, first); k < high_hz * count * hop_s && 2 * k < values.size(); ++k) {
    const std::complex<double> turn = std::polar(1.0, -2 * std::numbers::pi * k / count);
    std::complex<double> phase = 1, sum = 0;
    for (const double value : centred) {
      sum += value * phase;
      phase *= turn;
    }
    inside += 2 * std::norm(sum) / count;
  }
  return inside / variance;
}

Moments moments(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto mapped = Eigen::VectorXd::Map(values.data(), static_cast<Eigen::Index>(values.size()));
  const double mean = mapped.mean();
  return {mean, std::sqrt((mapped.array() - mean).square().mean())};
}

}  // namespace ser
