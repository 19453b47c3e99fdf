#pragma once

#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/model/training_range.h"

namespace ser {

/// The range of these clips. A clip's vector is its pooled features, or each row's mean and
/// standard deviation over the frames; its distance is the root mean square of the scaled vector.
/// The limit lies a fifth above what 99.9 % of the clips stay below.
TrainingRange fit_training_range(const FeatureTable& table, const std::vector<int>& clips);

}  // namespace ser
