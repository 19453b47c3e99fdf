#pragma once

#include <vector>

#include "ser/eval/result_file.h"

namespace ser {

/// Predictions of `b` in the order of those of `a`. Throws Error unless both are of the same clips.
std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b);

}  // namespace ser
