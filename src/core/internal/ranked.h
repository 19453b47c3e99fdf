#pragma once

#include <algorithm>
#include <vector>

namespace ser {

/// The value before which a share of them, in [0, 1), comes in order (0.5: the upper median); 0 of
/// none.
inline double ranked(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto place = values.begin() + static_cast<int>(share * values.size());
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace ser
