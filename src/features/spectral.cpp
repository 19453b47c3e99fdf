#include "ser/features/spectral.h"

#include <fmt/format.h>

#include <cfloat>

#include "features/registry.h"
#include "ser/core/error.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

using FrameSums = Eigen::Array<double, 1, Eigen::Dynamic>;

/// numerator / denominator, 0 where the frame is silent.
FrameMatrix ratio(const FrameSums& numerator, const FrameSums& denominator) {
  return (denominator >= FLT_MIN).select(numerator / denominator, 0.0).cast<float>().matrix();
}

double bin_hz(const Analysis& analysis, const StftOptions& options) {
  return static_cast<double>(analysis.wave().sample_rate_hz) / options.fft_size;
}

/// What the one-row descriptors share.
template <typename Derived, typename Options>
class SpectralFeature : public FeatureWith<Derived, Options> {
 public:
  int hop_samples() const override { return this->options_.stft.hop_samples; }

 protected:
  std::vector<std::string> base_names() const override { return {std::string(Derived::kType)}; }
};

class CentroidFeature : public SpectralFeature<CentroidFeature, CentroidOptions> {
 public:
  static constexpr std::string_view kType = "centroid";
  FrameMatrix compute(const Analysis& analysis) const override {
    return spectral_centroid(analysis.magnitude(options_.stft), bin_hz(analysis, options_.stft));
  }
};

class BandwidthFeature : public SpectralFeature<BandwidthFeature, CentroidOptions> {
 public:
  static constexpr std::string_view kType = "bandwidth";
  FrameMatrix compute(const Analysis& analysis) const override {
    return spectral_bandwidth(analysis.magnitude(options_.stft), bin_hz(analysis, options_.stft));
  }
};

class RolloffFeature : public SpectralFeature<RolloffFeature, RolloffOptions> {
 public:
  static constexpr std::string_view kType = "rolloff";
  FrameMatrix compute(const Analysis& analysis) const override {
    return spectral_rolloff(analysis.magnitude(options_.stft), bin_hz(analysis, options_.stft),
                            options_.share);
  }
};

class FlatnessFeature : public SpectralFeature<FlatnessFeature, FlatnessOptions> {
 public:
  static constexpr std::string_view kType = "flatness";
  FrameMatrix compute(const Analysis& analysis) const override {
    return spectral_flatness(analysis.power(options_.stft), options_.min_power);
  }
};

}  // namespace

void CentroidOptions::visit(FieldVisitor& v) { v.group("stft", stft); }

void RolloffOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.field("share", share, "Share of the magnitude below the roll-off", Range{0, 1}.above());
}

void FlatnessOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.field("min_power", min_power, "Smaller powers are raised to this one", Range{0, 1e6}.above());
}

FrameMatrix spectral_centroid(const FrameMatrix& magnitude, double bin_hz) {
  FrameSums sum = FrameSums::Zero(magnitude.cols()), weighted = sum;
  for (Eigen::Index k = 0; k < magnitude.rows(); ++k) {
    const auto row = magnitude.row(k).array().cast<double>();
    sum += row;
    weighted += row * (static_cast<double>(k) * bin_hz);
  }
  return ratio(weighted, sum);
}

FrameMatrix spectral_bandwidth(const FrameMatrix& magnitude, double bin_hz) {
  const FrameSums centroid = spectral_centroid(magnitude, bin_hz).array().cast<double>();
  FrameSums sum = FrameSums::Zero(magnitude.cols()), weighted = sum;
  for (Eigen::Index k = 0; k < magnitude.rows(); ++k) {
    const auto row = magnitude.row(k).array().cast<double>();
    sum += row;
    weighted += row * (static_cast<double>(k) * bin_hz - centroid).square();
  }
  return ratio(weighted, sum).cwiseSqrt();
}

FrameMatrix spectral_rolloff(const FrameMatrix& magnitude, double bin_hz, double share) {
  if (!(share > 0 && share <= 1))
    throw Error(fmt::format("rolloff: expected share in (0, 1], found {}", share));
  FrameSums total = FrameSums::Zero(magnitude.cols());
  for (Eigen::Index k = 0; k < magnitude.rows(); ++k)
    total += magnitude.row(k).array().cast<double>();
  FrameSums below = FrameSums::Zero(magnitude.cols()), bins = below;
  for (Eigen::Index k = 0; k < magnitude.rows(); ++k) {
    below += magnitude.row(k).array().cast<double>();
    bins += (below < share * total).cast<double>();
  }
  return (bins * bin_hz).cast<float>().matrix();
}

FrameMatrix spectral_flatness(const FrameMatrix& power, double min_power) {
  FrameSums sum = FrameSums::Zero(power.cols()), log_sum = sum;
  for (Eigen::Index k = 0; k < power.rows(); ++k) {
    const Eigen::ArrayXf row = power.row(k).array().max(static_cast<float>(min_power));
    sum += row.transpose().cast<double>();
    log_sum += row.log().transpose().cast<double>();
  }
  const auto bins = static_cast<double>(power.rows());
  return ((log_sum / bins).exp() / (sum / bins)).cast<float>().matrix();
}

std::unique_ptr<Feature> make_centroid() { return std::make_unique<CentroidFeature>(); }
std::unique_ptr<Feature> make_bandwidth() { return std::make_unique<BandwidthFeature>(); }
std::unique_ptr<Feature> make_rolloff() { return std::make_unique<RolloffFeature>(); }
std::unique_ptr<Feature> make_flatness() { return std::make_unique<FlatnessFeature>(); }

}  // namespace ser
