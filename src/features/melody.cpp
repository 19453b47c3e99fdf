#include "ser/features/descriptors.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "features/contour.h"
#include "features/internal/feature_set.h"
#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/functionals.h"
#include "ser/features/temporal.h"

namespace ser {
namespace {

constexpr float kMiddleHz = 165;  // between usual voices of men and women
constexpr float kLevelUnitDb = 20;
constexpr float kLowestLevel = -3;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(Eigen::VectorXd::Map(values.data(), static_cast<Eigen::Index>(values.size())),
                  0.5);
}

class MelodyFeature : public FeatureWith<MelodyFeature, MelodyOptions> {
 public:
  static constexpr std::string_view kType = "melody";
  int hop_samples() const override { return options_.hop_samples; }
  bool voiced_only(std::size_t row) const override { return row == 1; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const Waveform& wave = analysis.wave();
    return melody(analysis.pitch(voicing_options(wave.sample_rate_hz, options_.hop_samples)),
                  level_db(wave, options_.hop_samples));
  }

 protected:
  std::vector<std::string> base_names() const override {
    return {"melody.pitch", "melody.height", "melody.periodicity", "melody.level"};
  }
};

}  // namespace

void MelodyOptions::visit(FieldVisitor& v) {
  v.field("hop_samples", hop_samples, "Samples from one frame to the next", Range{1, 1 << 20});
}

FrameMatrix melody(const PitchTrack& pitch, const Eigen::RowVectorXf& level_db) {
  const Eigen::Index frames = pitch.hz.size();
  FrameMatrix rows = FrameMatrix::Zero(kMelodyRows, frames);
  std::vector<double> heights;
  for (Eigen::Index t = 0; t < frames; ++t) {
    if (pitch.hz[t] == 0) continue;
    rows(1, t) = std::log2(pitch.hz[t] / kMiddleHz);
    heights.push_back(rows(1, t));
  }
  const auto centre = static_cast<float>(heights.empty() ? 0 : median(std::move(heights)));
  for (Eigen::Index t = 0; t < frames; ++t)
    if (pitch.hz[t] > 0) rows(0, t) = 2 * (rows(1, t) - centre);
  rows.row(2) = pitch.periodicity.transpose();
  std::vector<double> levels(level_db.begin(), level_db.end());
  std::sort(levels.begin(), levels.end());
  const auto loud = static_cast<float>(quantile(
      Eigen::VectorXd::Map(levels.data(), static_cast<Eigen::Index>(levels.size())), 0.95));
  rows.row(3) = ((level_db.array() - loud) / kLevelUnitDb).max(kLowestLevel).matrix();
  return rows;
}

std::unique_ptr<Feature> make_melody() { return std::make_unique<MelodyFeature>(); }

}  // namespace ser
