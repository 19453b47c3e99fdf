#include "ser/model/training_range.h"

#include <algorithm>
#include <cmath>

namespace ser {
namespace {

constexpr double kShareWithin = 0.999;
constexpr double kMargin = 1.2;

Eigen::VectorXf frame_statistics(const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  const Eigen::MatrixXd values = clip.cast<double>();
  const Eigen::VectorXd mean = values.rowwise().mean();
  const Eigen::VectorXd square = (values.colwise() - mean).rowwise().squaredNorm();
  Eigen::VectorXf statistics(2 * clip.rows());
  statistics << mean.cast<float>(),
      (square / static_cast<double>(clip.cols())).cwiseSqrt().cast<float>();
  return statistics;
}

double root_mean_square(const Scaler& scaler, const Eigen::VectorXf& vector) {
  const Eigen::VectorXd scaled = scaler.apply(vector).cast<double>();
  return std::sqrt(scaled.squaredNorm() / static_cast<double>(scaled.size()));
}

}  // namespace

TrainingRange fit_training_range(const FeatureTable& table, const std::vector<int>& clips) {
  const auto vector_of = [&](int clip) -> Eigen::VectorXf {
    const auto features = table.clip(static_cast<std::size_t>(clip));
    if (table.set.pool == Pooling::kNone) return frame_statistics(features);
    return features;
  };
  ScalerFit fit;
  for (const int clip : clips) fit.add(vector_of(clip));
  TrainingRange range{fit.finish({ScalerOptions::Kind::kRows}), 0};
  std::vector<double> distances;
  for (const int clip : clips) distances.push_back(root_mean_square(range.scaler, vector_of(clip)));
  std::sort(distances.begin(), distances.end());
  const auto within =
      static_cast<std::size_t>(std::ceil(kShareWithin * static_cast<double>(distances.size())));
  if (within > 0) range.limit = kMargin * distances[within - 1];
  return range;
}

double distance(const TrainingRange& range, const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  if (!(range.limit > 0)) return 0;
  const bool of_frames = range.scaler.mean().size() == 2 * clip.rows();
  return root_mean_square(range.scaler, of_frames ? frame_statistics(clip) : clip.col(0)) /
         range.limit;
}

}  // namespace ser
