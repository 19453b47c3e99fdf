#include "ser/features/spectral.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "core/internal/fail.h"
#include "features/registry.h"
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

class ContrastFeature : public FeatureWith<ContrastFeature, ContrastOptions> {
 public:
  static constexpr std::string_view kType = "contrast";
  int hop_samples() const override { return options_.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override {
    return spectral_contrast(
        analysis.magnitude(options_.stft),
        static_cast<double>(analysis.wave().sample_rate_hz) / options_.stft.fft_size, options_);
  }

 protected:
  std::vector<std::string> base_names() const override {
    return numbered(kType, options_.num_bands + 1);
  }
};

struct BinRange {
  Eigen::Index begin = 0;
  Eigen::Index end = 0;
  Eigen::Index extremes = 0;  ///< bins that make the peak, and the valley
};

/// librosa's bands: both edges belong to a band, which also takes the bin below it and leaves its
/// own last bin to the next; the last band reaches to high_hz, or to the end of the spectrum.
BinRange band_bins(int band, Eigen::Index bins, double bin_hz, const ContrastOptions& options) {
  const double low = band == 0 ? 0 : options.low_hz * std::exp2(band - 1);
  const double high = options.low_hz * std::exp2(band);
  const bool is_last = band == options.num_bands;
  BinRange range{static_cast<Eigen::Index>(std::ceil(low / bin_hz)),
                 std::min(bins, static_cast<Eigen::Index>(std::floor(high / bin_hz)) + 1), 0};
  if (band > 0) --range.begin;
  if (is_last)
    range.end = options.high_hz > 0
                    ? static_cast<Eigen::Index>(std::floor(options.high_hz / bin_hz)) + 1
                    : bins;
  const auto count = static_cast<double>(range.end - range.begin);
  if (!is_last) --range.end;
  range.extremes =
      static_cast<Eigen::Index>(std::max(1.0, std::nearbyint(options.quantile * count)));
  if (range.extremes > range.end - range.begin)
    fail("contrast: a band from {} to {} Hz is narrower than two FFT bins of {} Hz", low, high,
         bin_hz);
  return range;
}

/// Mean of the `count` smallest values of each column. They are kept sorted, all columns at once,
/// while the rows go by.
Eigen::RowVectorXf mean_of_smallest(const Eigen::Ref<const FrameMatrix>& values,
                                    Eigen::Index count) {
  FrameMatrix smallest =
      FrameMatrix::Constant(count, values.cols(), std::numeric_limits<float>::infinity());
  Eigen::RowVectorXf rest(values.cols());
  for (Eigen::Index row = 0; row < values.rows(); ++row) {
    rest = values.row(row);
    for (Eigen::Index i = 0; i < count; ++i) {
      float* const kept = smallest.row(i).data();
      for (Eigen::Index t = 0; t < values.cols(); ++t) {
        const float smaller = std::min(kept[t], rest[t]);
        rest[t] = std::max(kept[t], rest[t]);
        kept[t] = smaller;
      }
    }
  }
  return (smallest.cast<double>().colwise().sum() / static_cast<double>(count)).cast<float>();
}

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
  if (!(share > 0 && share <= 1)) fail("rolloff: expected share in (0, 1], found {}", share);
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
  Eigen::Array<float, 1, Eigen::Dynamic> row(power.cols()), logarithms(power.cols());
  for (Eigen::Index k = 0; k < power.rows(); ++k) {
    row = power.row(k).array().max(static_cast<float>(min_power));
    logarithms = row.log();  // not in the sum below: it would not be vectorised
    sum += row.cast<double>();
    log_sum += logarithms.cast<double>();
  }
  const auto bins = static_cast<double>(power.rows());
  return ((log_sum / bins).exp() / (sum / bins)).cast<float>().matrix();
}

std::unique_ptr<Feature> make_centroid() { return std::make_unique<CentroidFeature>(); }
std::unique_ptr<Feature> make_bandwidth() { return std::make_unique<BandwidthFeature>(); }
std::unique_ptr<Feature> make_rolloff() { return std::make_unique<RolloffFeature>(); }
std::unique_ptr<Feature> make_flatness() { return std::make_unique<FlatnessFeature>(); }

void ContrastOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.field("num_bands", num_bands, "Octave bands above low_hz", Range{1, 32});
  v.field("low_hz", low_hz, "Upper edge of the lowest band, Hz", Range{0, 1e6}.above());
  v.field("high_hz", high_hz, "Upper edge of the highest band, Hz; 0: the end of the spectrum",
          Range{0, 1e6});
  v.field("quantile", quantile, "Share of a band's bins that make its peak, and its valley",
          Range{0, 1}.above().below());
  v.field("floor", floor, "Magnitudes below this count as this", Range{0, 1e6});
}

FrameMatrix spectral_contrast(const FrameMatrix& magnitude, double bin_hz,
                              const ContrastOptions& options) {
  const double nyquist_hz = static_cast<double>(magnitude.rows() - 1) * bin_hz;
  if (options.num_bands < 1 || !(options.low_hz > 0) || !(options.quantile > 0) ||
      !(options.quantile < 1) || !(options.floor >= 0))
    fail(
        "contrast: expected num_bands >= 1, low_hz > 0, quantile in (0, 1) and floor >= 0, "
        "found {}, {}, {} and {}",
        options.num_bands, options.low_hz, options.quantile, options.floor);
  const double end_hz = options.high_hz > 0 ? options.high_hz : nyquist_hz;
  if (end_hz > nyquist_hz)
    fail("contrast: expected high_hz up to half the sampling rate ({} Hz), found {}", nyquist_hz,
         options.high_hz);
  if (options.low_hz * std::exp2(options.num_bands - 1) >= end_hz)
    fail("contrast: expected {} octaves from {} Hz to start below {} Hz", options.num_bands,
         options.low_hz, end_hz);
  FrameMatrix peak(options.num_bands + 1, magnitude.cols()), valley = peak;
  for (int band = 0; band <= options.num_bands; ++band) {
    const BinRange range = band_bins(band, magnitude.rows(), bin_hz, options);
    const FrameMatrix bins = magnitude.middleRows(range.begin, range.end - range.begin)
                                 .cwiseMax(static_cast<float>(options.floor));
    valley.row(band) = mean_of_smallest(bins, range.extremes);
    peak.row(band) = -mean_of_smallest(-bins, range.extremes);
  }
  return power_to_db(peak) - power_to_db(valley);
}

std::unique_ptr<Feature> make_contrast() { return std::make_unique<ContrastFeature>(); }

}  // namespace ser
