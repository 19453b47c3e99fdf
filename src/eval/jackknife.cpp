#include "eval/jackknife.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

namespace ser {
namespace {

/// P(|T| < t), Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
double central_t(double t, int degrees) {
  const double angle = std::atan(t / std::sqrt(degrees));
  const double square = std::cos(angle) * std::cos(angle);
  const bool odd = degrees % 2 == 1;
  double term = odd ? std::cos(angle) : 1, sum = degrees == 1 ? 0 : term;
  for (int k = odd ? 3 : 2; k < degrees; k += 2) sum += term *= square * (k - 1) / k;
  const double share = std::sin(angle) * sum;
  return odd ? 2 / std::numbers::pi * (angle + share) : share;
}

double logistic(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

double quantile_of(const std::vector<double>& without_one) {
  return student_t_975(static_cast<int>(without_one.size()) - 1);
}

}  // namespace

double student_t_975(int degrees) {
  assert(degrees >= 1);
  double low = 0, high = 16;  // 12.7 is that of one degree
  constexpr double kPrecision = 1e-12;
  while (high - low > kPrecision) {
    const double middle = (low + high) / 2;
    (central_t(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval wilson(double share, double clips, double quantile) {
  const double square = quantile * quantile / clips;
  const double centre = (share + square / 2) / (1 + square);
  const double half = std::sqrt(share * (1 - share) * square + square * square / 4) / (1 + square);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double jackknife_error(const std::vector<double>& without_one) {
  const double n = without_one.size();
  const double mean = std::accumulate(without_one.begin(), without_one.end(), 0.0) / n;
  double squares = 0;
  for (const double value : without_one) squares += (value - mean) * (value - mean);
  return std::sqrt(squares * (n - 1) / n);
}

std::optional<Interval> share_interval(double share, const std::vector<double>& without_one,
                                       double clips) {
  if (without_one.size() < kLeastUnits) return std::nullopt;
  const double quantile = quantile_of(without_one), error = jackknife_error(without_one);
  constexpr double kNoSpread = 1e-12;
  const double slope = share * (1 - share);  // of the logistic function, there
  if (slope < kNoSpread || error < kNoSpread) return wilson(share, clips, quantile);
  const double log_odds = std::log(share / (1 - share)), half = quantile * error / slope;
  return Interval{logistic(log_odds - half), logistic(log_odds + half)};
}

std::optional<Interval> difference_interval(double difference,
                                            const std::vector<double>& without_one) {
  if (without_one.size() < kLeastUnits) return std::nullopt;
  const double half = quantile_of(without_one) * jackknife_error(without_one);
  return Interval{std::max(-1.0, difference - half), std::min(1.0, difference + half)};
}

}  // namespace ser
