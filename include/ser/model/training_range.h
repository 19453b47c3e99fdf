#pragma once

#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/model/scaler.h"

namespace ser {

/// How far the features of training clips lie from their centre, to notice recordings that are
/// unlike them: of another microphone, telephone line, language or kind of sound.
struct TrainingRange {
  Scaler scaler;     ///< over clip vectors
  double limit = 0;  ///< 0: not known
};

/// The range of these clips. A clip's vector is its pooled features, or each row's mean and
/// standard deviation over the frames; its distance is the root mean square of the scaled vector.
/// The limit lies a fifth above what 99.9 % of the clips stay below.
TrainingRange fit_training_range(const FeatureTable& table, const std::vector<int>& clips);

/// Distance of a clip [rows x frames] as a share of the limit: above 1 it is unlike the training
/// clips. 0 if the range is not known. Throws Error for another number of rows than it was fitted
/// to.
double distance(const TrainingRange& range, const Eigen::Ref<const Eigen::MatrixXf>& clip);

}  // namespace ser
