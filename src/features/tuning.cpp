#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ser/features/chroma.h"

namespace ser {
namespace {

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

}  // namespace

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

}  // namespace ser
