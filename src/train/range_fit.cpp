#include "train/range_fit.h"

#include <algorithm>
#include <cmath>

namespace ser {
namespace {

constexpr double kShareWithin = 0.999;
constexpr double kMargin = 1.2;

}  // namespace

TrainingRange fit_training_range(const FeatureTable& table, const std::vector<int>& clips) {
  ScalerFit fit;
  for (const int clip : clips) {
    const auto features = table.clip(static_cast<std::size_t>(clip));
    fit.add(table.set.pool == Pooling::kNone ? Eigen::MatrixXf(frame_statistics(features))
                                             : Eigen::MatrixXf(features));
  }
  TrainingRange range{fit.finish({ScalerOptions::Kind::kRows}), 1};
  std::vector<double> distances;
  for (const int clip : clips)
    distances.push_back(distance(range, table.clip(static_cast<std::size_t>(clip))));
  std::sort(distances.begin(), distances.end());
  const auto within =
      static_cast<std::size_t>(std::ceil(kShareWithin * static_cast<double>(distances.size())));
  range.limit = within > 0 ? kMargin * distances[within - 1] : 0;
  return range;
}

}  // namespace ser
