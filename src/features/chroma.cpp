#include "ser/features/chroma.h"

#include <cfloat>
#include <cmath>

#include "features/registry.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

constexpr double kCentreOctave = 5;
constexpr double kOctaveWidth = 2;

class ChromaFeature : public FeatureWith<ChromaFeature, ChromaOptions> {
 public:
  static constexpr std::string_view kType = "chroma";
  int hop_samples() const override { return options_.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override { return analysis.chroma(options_); }

 protected:
  std::vector<std::string> base_names() const override { return numbered(kType, kPitchClasses); }
};

}  // namespace

void ChromaOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.choice("spectrum", spectrum,
           {{"power", SpectrumKind::kPower}, {"magnitude", SpectrumKind::kMagnitude}},
           "What is summed over the bins of a pitch class");
  v.field("tuning", tuning, "Semitones from A = 440 Hz, -0.5 to 0.5; 1: estimated from the clip",
          Range{-0.5, 1});
}

Eigen::MatrixXf chroma_filterbank(int fft_size, int sample_rate_hz, double tuning) {
  using Eigen::ArrayXd;
  const int bins = fft_size / 2 + 1;
  const double c0_hz = 440 * std::exp2(tuning / kPitchClasses) / 16;
  // Bin frequencies in semitones; bin 0 is put 1.5 octaves below bin 1, as librosa does.
  ArrayXd note = (ArrayXd::LinSpaced(bins + 1, 0, bins) * sample_rate_hz / fft_size / c0_hz).log() *
                 (kPitchClasses / std::log(2.0));
  note[0] = note[1] - 1.5 * kPitchClasses;
  const ArrayXd width = (note.tail(bins) - note.head(bins)).max(1.0);
  const ArrayXd octave_weight =
      (-0.5 * ((note.head(bins) / kPitchClasses - kCentreOctave) / kOctaveWidth).square()).exp();

  Eigen::Array<double, Eigen::Dynamic, kPitchClasses> weights(bins, kPitchClasses);
  for (int c = 0; c < kPitchClasses; ++c) {
    // Classes are counted from A here and turned to start from C; distance in [-6, 6) semitones.
    const int pitch_class = (c + 3) % kPitchClasses;
    const ArrayXd shifted = note.head(bins) - pitch_class + 0.5 * kPitchClasses;
    const ArrayXd distance = shifted - kPitchClasses * (shifted / kPitchClasses).floor() - 6;
    weights.col(c) = (-0.5 * (2 * distance / width).square()).exp();
  }
  const ArrayXd scale = octave_weight / weights.square().rowwise().sum().sqrt();
  return (weights.colwise() * scale).transpose().matrix().cast<float>();
}

FrameMatrix chroma(const FrameMatrix& spectrum, const Eigen::MatrixXf& filterbank) {
  FrameMatrix classes = filterbank * spectrum;
  for (Eigen::Index t = 0; t < classes.cols(); ++t) {
    const float largest = classes.col(t).maxCoeff();
    if (largest >= FLT_MIN) classes.col(t) /= largest;
  }
  return classes;
}

std::unique_ptr<Feature> make_chroma() { return std::make_unique<ChromaFeature>(); }

}  // namespace ser
