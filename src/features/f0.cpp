#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/pitch.h"

namespace ser {
namespace {

class PitchFeature : public FeatureWith<PitchFeature, PitchOptions> {
 public:
  static constexpr std::string_view kType = "f0";
  int hop_samples() const override { return options_.hop_samples; }
  bool voiced_only(std::size_t row) const override { return row == 0; }
  PitchOptions voicing(int) const override { return options_; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const PitchTrack& track = analysis.pitch(options_);
    FrameMatrix rows(2, track.hz.size());
    rows.row(0) = track.hz.transpose();
    rows.row(1) = track.periodicity.transpose();
    return rows;
  }

 protected:
  std::vector<std::string> base_names() const override { return {"f0.hz", "f0.periodicity"}; }
};

}  // namespace

std::unique_ptr<Feature> make_f0() { return std::make_unique<PitchFeature>(); }

}  // namespace ser
