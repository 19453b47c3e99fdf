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
  const auto centre = static_cast<float>(quantile_of(
      Eigen::VectorXd::Map(heights.data(), static_cast<Eigen::Index>(heights.size())), 0.5));
  for (Eigen::Index t = 0; t < frames; ++t)
    if (pitch.hz[t] > 0) rows(0, t) = 2 * (rows(1, t) - centre);
  rows.row(2) = pitch.periodicity.transpose();
  const auto loud = static_cast<float>(quantile_of(level_db.transpose().cast<double>(), 0.95));
  rows.row(3) = ((level_db.array() - loud) / kLevelUnitDb).max(kLowestLevel).matrix();
  return rows;
}

std::unique_ptr<Feature> make_melody() { return std::make_unique<MelodyFeature>(); }

}  // namespace ser
