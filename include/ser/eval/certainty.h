#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ser/eval/metrics.h"

namespace ser {

/// Share of wrong answers that is allowed among those that are not called uncertain.
inline constexpr double kAllowedRisk = 0.2;

/// The answers at least as probable as `from`.
struct KeptAnswers {
  double from = 0;
  std::int64_t kept = 0;
  std::int64_t right = 0;  ///< of those kept

  double risk() const { return kept > 0 ? 1 - static_cast<double>(right) / kept : 0; }
};

/// What is kept, and how often it is right, for every threshold that makes a difference: from the
/// surest answers alone to all of them, from 0 (risk-coverage curve; El-Yaniv and Wiener 2010).
/// Thresholds lie half-way between the probabilities that they part.
std::vector<KeptAnswers> risk_coverage(const std::vector<std::string>& labels,
                                       const std::vector<Prediction>& predictions);

/// The point of the curve that keeps most while at most a share `risk` of it is wrong; where there
/// is none, nothing is kept, from 1.
KeptAnswers kept_at_risk(const std::vector<KeptAnswers>& curve, double risk = kAllowedRisk);

}  // namespace ser
