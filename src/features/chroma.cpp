#include "ser/features/chroma.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <numbers>
#include <vector>

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

constexpr double kLowHz = 150;
constexpr double kHighHz = 4000;
constexpr float kRelativeThreshold = 0.1f;
constexpr int kSteps = 100;  // of 0.01 semitones

struct Peak {
  float hz;
  float height;
};

/// Middle value; of an even number of values, the mean of the two in the middle.
float median_height(std::vector<Peak> peaks) {
  const auto by_height = [](const Peak& a, const Peak& b) { return a.height < b.height; };
  const auto middle = peaks.begin() + static_cast<std::ptrdiff_t>(peaks.size() / 2);
  std::nth_element(peaks.begin(), middle, peaks.end(), by_height);
  if (peaks.size() % 2 == 1) return middle->height;
  return 0.5f * (std::max_element(peaks.begin(), middle, by_height)->height + middle->height);
}

/// The parabola through three neighbouring values; none steeper than half a bin is trusted.
Peak interpolated(float left, float centre, float right, int bin, double bin_hz) {
  const double curvature = static_cast<double>(right) + left - 2.0 * centre;
  const double slope = (static_cast<double>(right) - left) / 2;
  const auto shift =
      std::abs(slope) >= std::abs(curvature) ? 0.0f : static_cast<float>(-slope / curvature);
  return {static_cast<float>((bin + static_cast<double>(shift)) * bin_hz),
          centre + 0.5f * (0.5f * (right - left)) * shift};
}

std::vector<Peak> find_peaks(const FrameMatrix& spectrum, int fft_size, int sample_rate_hz) {
  Eigen::RowVectorXf threshold = Eigen::RowVectorXf::Zero(spectrum.cols());
  for (Eigen::Index k = 0; k < spectrum.rows(); ++k)
    threshold = threshold.cwiseMax(spectrum.row(k));
  threshold *= kRelativeThreshold;
  const double bin_hz = static_cast<double>(sample_rate_hz) / fft_size;
  const double high_hz = std::min(kHighHz, sample_rate_hz / 2.0);
  std::vector<Peak> peaks;
  std::vector<Eigen::Index> frames(static_cast<std::size_t>(spectrum.cols()));
  for (int k = std::max(1, static_cast<int>(std::ceil(kLowHz / bin_hz)));
       k * bin_hz < high_hz && k + 1 < spectrum.rows(); ++k) {
    const float *below = spectrum.row(k - 1).data(), *here = spectrum.row(k).data(),
                *above = spectrum.row(k + 1).data();
    std::size_t found = 0;
    for (Eigen::Index t = 0; t < spectrum.cols(); ++t) {
      frames[found] = t;
      found += (here[t] > threshold[t]) & (here[t] > below[t]) & (here[t] >= above[t]);
    }
    for (std::size_t i = 0; i < found; ++i) {
      const Eigen::Index t = frames[i];
      peaks.push_back(interpolated(below[t], here[t], above[t], k, bin_hz));
    }
  }
  return peaks;
}

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

double estimate_tuning(const FrameMatrix& spectrum, int fft_size, int sample_rate_hz) {
  const std::vector<Peak> peaks = find_peaks(spectrum, fft_size, sample_rate_hz);
  if (peaks.empty()) return 0;
  const float threshold = median_height(peaks);
  std::array<int, kSteps> votes{};
  const auto edge = [](int step) { return -0.5 + step * (1.0 / kSteps); };
  for (const Peak& peak : peaks) {
    if (peak.height < threshold) continue;
    const float semitones = 12 * std::log2(peak.hz / 27.5f);
    float deviation = semitones - std::floor(semitones);
    if (deviation >= 0.5f) deviation -= 1;
    int step = std::clamp(static_cast<int>((deviation + 0.5) * kSteps), 0, kSteps - 1);
    if (step > 0 && deviation < edge(step)) --step;
    if (step + 1 < kSteps && deviation >= edge(step + 1)) ++step;
    ++votes[static_cast<std::size_t>(step)];
  }
  return edge(static_cast<int>(std::max_element(votes.begin(), votes.end()) - votes.begin()));
}

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
