#include <cfloat>
#include <cmath>
#include <numbers>

#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/chroma.h"

namespace ser {
namespace {

constexpr int kDimensions = 6;

class TonnetzFeature : public FeatureWith<TonnetzFeature, ChromaOptions> {
 public:
  static constexpr std::string_view kType = "tonnetz";
  int hop_samples() const override { return options_.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override {
    return tonnetz(analysis.chroma(options_));
  }

 protected:
  std::vector<std::string> base_names() const override { return numbered(kType, kDimensions); }
};

}  // namespace

FrameMatrix tonnetz(const FrameMatrix& chroma) {
  // Sine and cosine on the circles of fifths, minor thirds and major thirds.
  static constexpr double kTurns[kDimensions] = {7. / 6, 7. / 6, 3. / 2, 3. / 2, 2. / 3, 2. / 3};
  static constexpr double kRadius[kDimensions] = {1, 1, 1, 1, 0.5, 0.5};
  const Eigen::Index classes = chroma.rows();
  Eigen::MatrixXf projection(kDimensions, classes);
  for (int d = 0; d < kDimensions; ++d)
    for (Eigen::Index c = 0; c < classes; ++c) {
      const double note = 12.0 * static_cast<double>(c) / static_cast<double>(classes);
      const double phase = kTurns[d] * note - (d % 2 == 0 ? 0.5 : 0);
      projection(d, c) = static_cast<float>(kRadius[d] * std::cos(std::numbers::pi * phase));
    }
  FrameMatrix centroid = projection * chroma;
  for (Eigen::Index t = 0; t < centroid.cols(); ++t) {
    const float sum = chroma.col(t).cwiseAbs().sum();
    if (sum >= FLT_MIN) centroid.col(t) /= sum;
  }
  return centroid;
}

std::unique_ptr<Feature> make_tonnetz() { return std::make_unique<TonnetzFeature>(); }

}  // namespace ser
