#pragma once

#include <cstdint>
#include <string>

#include "ser/eval/result_file.h"

namespace ser {

/// Two results on the same clips, side by side.
struct Comparison {
  std::int64_t n = 0;
  double accuracy_a = 0, accuracy_b = 0;
  double uar_a = 0, uar_b = 0;
  std::int64_t only_a_right = 0, only_b_right = 0;
  double mcnemar_p = 1;       ///< exact, two-sided: chance of so uneven a count if both are as good
  double uar_difference = 0;  ///< b - a
  Interval ci95_uar_difference;  ///< 2,000 bootstrap resamples of speakers, the same for both
};

/// Compares two results clip by clip. Resamples are drawn with the seed of `a`.
/// Throws Error, naming the first difference, for other clips, other truth or other classes.
Comparison compare(const ResultFile& a, const ResultFile& b);

}  // namespace ser
