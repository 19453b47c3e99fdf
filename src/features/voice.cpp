#include "ser/features/descriptors.h"

#include <algorithm>
#include <cmath>

#include "core/internal/fail.h"
#include "features/internal/feature_set.h"
#include "features/registry.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

constexpr float kSilentPower = 1e-9f;

class VoiceFeature : public FeatureWith<VoiceFeature, VoiceOptions> {
 public:
  static constexpr std::string_view kType = "voice";
  int hop_samples() const override { return options_.stft.hop_samples; }
  bool voiced_only(std::size_t row) const override { return row == 5 || row == 6; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const int rate_hz = analysis.wave().sample_rate_hz;
    return voice_quality(analysis.power(options_.stft),
                         static_cast<double>(rate_hz) / options_.stft.fft_size,
                         analysis.pitch(voicing_options(rate_hz, options_.stft.hop_samples)));
  }

 protected:
  std::vector<std::string> base_names() const override {
    return {"voice.alpha_ratio", "voice.hammarberg", "voice.slope_low", "voice.slope_mid",
            "voice.flux",        "voice.h1_h2",      "voice.h1_a3",     "voice.hnr"};
  }
};

/// The bins of a frequency range, [bins x frames].
auto band(const FrameMatrix& power, double low_hz, double high_hz, double bin_hz) {
  const auto begin = static_cast<Eigen::Index>(std::ceil(low_hz / bin_hz));
  const auto end = static_cast<Eigen::Index>(std::floor(high_hz / bin_hz)) + 1;
  return power.middleRows(begin, end - begin);
}

template <typename Values>
Eigen::RowVectorXf decibel(const Values& power) {
  return (power.array().max(kSilentPower).log() * (10 / std::log(10.0f))).matrix();
}

template <typename Band>
Eigen::RowVectorXf sums(const Band& rows) {
  Eigen::RowVectorXf sum = Eigen::RowVectorXf::Zero(rows.cols());
  for (Eigen::Index k = 0; k < rows.rows(); ++k) sum += rows.row(k);
  return sum;
}

template <typename Band>
Eigen::RowVectorXf peaks(const Band& rows) {
  Eigen::RowVectorXf peak = Eigen::RowVectorXf::Zero(rows.cols());
  for (Eigen::Index k = 0; k < rows.rows(); ++k) peak = peak.cwiseMax(rows.row(k));
  return peak;
}

/// Slope of the regression line through the levels of a band, dB per kHz.
template <typename Band>
Eigen::RowVectorXf slope(const Band& rows, double bin_hz) {
  const auto count = static_cast<double>(rows.rows());
  Eigen::RowVectorXf sum = Eigen::RowVectorXf::Zero(rows.cols());
  for (Eigen::Index k = 0; k < rows.rows(); ++k)
    sum += static_cast<float>(static_cast<double>(k) - (count - 1) / 2) * decibel(rows.row(k));
  const double spread = count * (count * count - 1) / 12;
  return sum * static_cast<float>(1000 / (spread * bin_hz));
}

Eigen::RowVectorXf flux(const FrameMatrix& power) {
  const Eigen::RowVectorXf norm = sums(power).cwiseMax(kSilentPower).cwiseSqrt();
  const Eigen::Index frames = power.cols();
  Eigen::RowVectorXf similarity = Eigen::RowVectorXf::Zero(std::max<Eigen::Index>(0, frames - 1));
  for (Eigen::Index k = 0; k < power.rows(); ++k)
    similarity +=
        power.row(k).head(frames - 1).cwiseProduct(power.row(k).tail(frames - 1)).cwiseSqrt();
  Eigen::RowVectorXf distance = Eigen::RowVectorXf::Zero(frames);
  for (Eigen::Index t = 1; t < frames; ++t) {
    const float cosine = similarity[t - 1] / (norm[t] * norm[t - 1]);
    // Frames without energy have no spectrum to differ.
    distance[t] = cosine > 0 ? std::sqrt(std::max(0.0f, 2 - 2 * cosine)) : 0;
  }
  return distance;
}

/// Level of the harmonic at `hz`: the highest bin within a quarter of the fundamental.
float harmonic_db(const FrameMatrix& power, Eigen::Index frame, double hz, double f0_hz,
                  double bin_hz) {
  const auto begin = static_cast<Eigen::Index>(std::lround((hz - f0_hz / 4) / bin_hz));
  const auto end = static_cast<Eigen::Index>(std::lround((hz + f0_hz / 4) / bin_hz));
  float peak = kSilentPower;
  for (Eigen::Index k = begin; k <= std::min(end, power.rows() - 1); ++k)
    peak = std::max(peak, power(k, frame));
  return 10 * std::log10(peak);
}

}  // namespace

void VoiceOptions::visit(FieldVisitor& v) { v.group("stft", stft); }

FrameMatrix voice_quality(const FrameMatrix& power, double bin_hz, const PitchTrack& pitch) {
  if (static_cast<double>(power.rows() - 1) * bin_hz < 5000)
    fail("voice: expected a sampling rate of at least 10000 Hz, found {} Hz",
         2 * static_cast<double>(power.rows() - 1) * bin_hz);
  FrameMatrix rows = FrameMatrix::Zero(kVoiceRows, power.cols());
  rows.row(0) =
      decibel(sums(band(power, 50, 1000, bin_hz))) - decibel(sums(band(power, 1000, 5000, bin_hz)));
  rows.row(1) = decibel(peaks(band(power, 0, 2000, bin_hz))) -
                decibel(peaks(band(power, 2000, 5000, bin_hz)));
  rows.row(2) = slope(band(power, 0, 500, bin_hz), bin_hz);
  rows.row(3) = slope(band(power, 500, 1500, bin_hz), bin_hz);
  rows.row(4) = flux(power);
  const Eigen::RowVectorXf third_formant = decibel(peaks(band(power, 2000, 3500, bin_hz)));
  for (Eigen::Index t = 0; t < power.cols(); ++t) {
    const double periodicity = std::clamp<double>(pitch.periodicity[t], 0.0099, 0.999);
    rows(7, t) = static_cast<float>(10 * std::log10(periodicity / (1 - periodicity)));
    const double f0_hz = pitch.hz[t];
    if (f0_hz == 0) continue;
    const float first = harmonic_db(power, t, f0_hz, f0_hz, bin_hz);
    rows(5, t) = first - harmonic_db(power, t, 2 * f0_hz, f0_hz, bin_hz);
    rows(6, t) = first - third_formant[t];
  }
  return rows;
}

std::unique_ptr<Feature> make_voice() { return std::make_unique<VoiceFeature>(); }

}  // namespace ser
