#include "ser/model/training_range.h"

#include <cmath>

namespace ser {
namespace {

double root_mean_square(const Scaler& scaler, const Eigen::VectorXf& vector) {
  const Eigen::VectorXd scaled = scaler.apply(vector).cast<double>();
  return std::sqrt(scaled.squaredNorm() / static_cast<double>(scaled.size()));
}

}  // namespace

Eigen::VectorXf frame_statistics(const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  const Eigen::MatrixXd values = clip.cast<double>();
  const Eigen::VectorXd mean = values.rowwise().mean();
  const Eigen::VectorXd square = (values.colwise() - mean).rowwise().squaredNorm();
  Eigen::VectorXf statistics(2 * clip.rows());
  statistics << mean.cast<float>(),
      (square / static_cast<double>(clip.cols())).cwiseSqrt().cast<float>();
  return statistics;
}

double distance(const TrainingRange& range, const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  if (!(range.limit > 0)) return 0;
  const bool of_frames = range.scaler.mean().size() == 2 * clip.rows();
  return root_mean_square(range.scaler, of_frames ? frame_statistics(clip) : clip.col(0)) /
         range.limit;
}

}  // namespace ser
