#pragma once

#include <Eigen/Core>

namespace ser {

/// Whether no value is NaN or infinite: 0 x = 0 for all others. Eigen's allFinite() is not
/// vectorised.
template <typename Derived>
bool all_finite(const Eigen::DenseBase<Derived>& values) {
  return (0 * values.derived().array()).sum() == 0;
}

}  // namespace ser
