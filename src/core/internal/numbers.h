#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace ser {

/// Whether no value is NaN or infinite: 0 x = 0 for all others. Eigen's allFinite() is not
/// vectorised.
template <typename Derived>
bool all_finite(const Eigen::DenseBase<Derived>& values) {
  return (0 * values.derived().array()).sum() == 0;
}

/// The value before which a share of them, in [0, 1), comes in order (0.5: the upper median); 0 of
/// none.
inline double ranked(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto place = values.begin() + static_cast<int>(share * values.size());
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

/// 0, 1, ... count - 1.
template <typename Int>
std::vector<Int> indices(std::size_t count) {
  std::vector<Int> all(count);
  std::iota(all.begin(), all.end(), Int{0});
  return all;
}

}  // namespace ser
