#pragma once

#include <Eigen/Core>

#include "ser/model/scaler.h"

namespace ser {

/// How far the features of training clips lie from their centre, to notice recordings that are
/// unlike them: of another microphone, telephone line, language or kind of sound.
struct TrainingRange {
  Scaler scaler;     ///< over clip vectors
  double limit = 0;  ///< 0: not known
};

/// Mean of each row over the frames of a clip [rows x frames], then each row's standard deviation.
Eigen::VectorXf frame_statistics(const Eigen::Ref<const Eigen::MatrixXf>& clip);

/// Distance of a clip [rows x frames] as a share of the limit: above 1 it is unlike the training
/// clips. 0 if the range is not known. Throws Error for another number of rows than it was fitted
/// to.
double distance(const TrainingRange& range, const Eigen::Ref<const Eigen::MatrixXf>& clip);

}  // namespace ser
