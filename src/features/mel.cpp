#include "ser/features/mel.h"

#include <algorithm>
#include <cmath>

#include "core/internal/fail.h"
#include "features/registry.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

constexpr double kLinearHzPerMel = 200.0 / 3;
constexpr double kLogStartHz = 1000;
constexpr double kLogStartMel = kLogStartHz / kLinearHzPerMel;
const double kLogStep = std::log(6.4) / 27;

class MelFeature : public FeatureWith<MelFeature, MelOptions> {
 public:
  static constexpr std::string_view kType = "mel";
  int hop_samples() const override { return options_.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override { return analysis.mel(options_); }

 protected:
  std::vector<std::string> base_names() const override {
    return numbered(kType, options_.num_bands);
  }
};

class LogMelFeature : public FeatureWith<LogMelFeature, LogMelOptions> {
 public:
  static constexpr std::string_view kType = "log_mel";
  int hop_samples() const override { return options_.mel.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const FrameMatrix& db = analysis.log_mel(options_.mel, options_.decibel);
    return options_.standardize ? standardize(db) : db;
  }

 protected:
  std::vector<std::string> base_names() const override {
    return numbered(kType, options_.mel.num_bands);
  }
};

}  // namespace

void MelOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.field("num_bands", num_bands, "Mel bands", Range{1, 1024});
  v.field("low_hz", low_hz, "Lowest frequency, Hz", Range{0, 1e6});
  v.field("high_hz", high_hz, "Highest frequency, Hz; 0: half the sampling rate", Range{0, 1e6});
  v.choice("scale", scale, {{"slaney", MelScale::kSlaney}, {"htk", MelScale::kHtk}}, "Mel scale");
}

void DecibelOptions::visit(FieldVisitor& v) {
  v.field("min_power", min_power, "Smaller powers are raised to this one", Range{0, 1e6}.above());
  v.field("range_db", range_db, "Dynamic range kept below the largest value, dB; 0: all",
          Range{0, 1000});
}

void LogMelOptions::visit(FieldVisitor& v) {
  v.group("mel", mel);
  v.group("decibel", decibel);
  v.field("standardize", standardize, "Bring each clip to zero mean and unit variance");
}

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hz / 700);
  if (hz < kLogStartHz) return hz / kLinearHzPerMel;
  return kLogStartMel + std::log(hz / kLogStartHz) / kLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10, mel / 2595) - 1);
  if (mel < kLogStartMel) return mel * kLinearHzPerMel;
  return kLogStartHz * std::exp(kLogStep * (mel - kLogStartMel));
}

MelFilterbank::MelFilterbank(const MelOptions& options, int sample_rate_hz) {
  const double high_hz = options.high_hz > 0 ? options.high_hz : sample_rate_hz / 2.0;
  if (options.num_bands < 1) fail("num_bands: expected at least 1, found {}", options.num_bands);
  if (!(options.low_hz >= 0 && options.low_hz < high_hz) || high_hz > sample_rate_hz / 2.0)
    fail("mel bands: expected a range within 0 to {} Hz, found {} to {} Hz", sample_rate_hz / 2.0,
         options.low_hz, high_hz);
  const double low_mel = hz_to_mel(options.low_hz, options.scale);
  const double step = (hz_to_mel(high_hz, options.scale) - low_mel) / (options.num_bands + 1);
  const auto edge_hz = [&](int i) { return mel_to_hz(low_mel + step * i, options.scale); };
  const double bin_hz = static_cast<double>(sample_rate_hz) / options.stft.fft_size;
  const int bins = options.stft.fft_size / 2 + 1;
  for (int b = 0; b < options.num_bands; ++b) {
    const double low = edge_hz(b), centre = edge_hz(b + 1), high = edge_hz(b + 2);
    Band band{std::min(bins, static_cast<int>(std::ceil(low / bin_hz))), {}};
    for (int k = band.first_bin; k < bins && k * bin_hz < high; ++k) {
      const double hz = k * bin_hz;
      const double height = std::min((hz - low) / (centre - low), (high - hz) / (high - centre));
      band.weights.push_back(static_cast<float>(std::max(0.0, height) * 2 / (high - low)));
    }
    bands_.push_back(std::move(band));
  }
}

FrameMatrix MelFilterbank::apply(const FrameMatrix& power) const {
  FrameMatrix mel = FrameMatrix::Zero(static_cast<Eigen::Index>(bands_.size()), power.cols());
  for (std::size_t b = 0; b < bands_.size(); ++b) {
    auto row = mel.row(static_cast<Eigen::Index>(b));
    for (std::size_t i = 0; i < bands_[b].weights.size(); ++i)
      row += bands_[b].weights[i] * power.row(bands_[b].first_bin + static_cast<Eigen::Index>(i));
  }
  return mel;
}

FrameMatrix mel_spectrogram(const FrameMatrix& power, const MelOptions& options,
                            int sample_rate_hz) {
  return MelFilterbank(options, sample_rate_hz).apply(power);
}

FrameMatrix power_to_db(const FrameMatrix& power, const DecibelOptions& options) {
  const auto floor = static_cast<float>(options.min_power);
  const auto db_per_neper = static_cast<float>(10 / std::log(10));
  FrameMatrix db = (power.array().max(floor).log() * db_per_neper).matrix();
  if (options.range_db > 0 && db.size() > 0)
    db = db.array().max(db.maxCoeff() - static_cast<float>(options.range_db)).matrix();
  return db;
}

FrameMatrix standardize(const FrameMatrix& values) {
  const double mean = values.cast<double>().mean();
  const double variance = (values.cast<double>().array() - mean).square().mean();
  const double scale = variance > 1e-12 ? 1 / std::sqrt(variance) : 0;
  return ((values.cast<double>().array() - mean) * scale).cast<float>();
}

std::unique_ptr<Feature> make_mel() { return std::make_unique<MelFeature>(); }
std::unique_ptr<Feature> make_log_mel() { return std::make_unique<LogMelFeature>(); }

}  // namespace ser
