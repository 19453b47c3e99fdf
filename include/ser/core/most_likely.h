#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace ser {

/// Index of the largest probability, the first of equal ones. probabilities: at least one.
template <typename Probabilities>
std::size_t most_likely(const Probabilities& probabilities) {
  const auto begin = probabilities.begin(), end = probabilities.end();
  assert(begin != end);
  return static_cast<std::size_t>(std::max_element(begin, end) - begin);
}

}  // namespace ser
