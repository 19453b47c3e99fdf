#include "ser/audio/level.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ser {
namespace {

constexpr double kFrameS = 0.025;

/// Mean squares of frames side by side; the last one may be shorter.
std::vector<double> frame_powers(const Waveform& wave) {
  const auto frame = std::max<Eigen::Index>(1, std::lround(kFrameS * wave.sample_rate_hz));
  std::vector<double> powers;
  for (Eigen::Index begin = 0; begin < wave.samples.size(); begin += frame) {
    const Eigen::Index count = std::min(frame, wave.samples.size() - begin);
    const double energy = wave.samples.segment(begin, count).cast<double>().squaredNorm();
    powers.push_back(energy / static_cast<double>(count));
  }
  return powers;
}

}  // namespace

double active_rms(const Waveform& wave, double range_db) {
  const std::vector<double> powers = frame_powers(wave);
  if (powers.empty()) return 0;
  const double threshold =
      *std::max_element(powers.begin(), powers.end()) * std::pow(10, -range_db / 10);
  double sum = 0;
  int count = 0;
  for (const double power : powers) {
    if (power < threshold) continue;
    sum += power;
    ++count;
  }
  return std::sqrt(sum / count);
}

double silent_share(const Waveform& wave, double range_db) {
  const std::vector<double> powers = frame_powers(wave);
  const double loudest = powers.empty() ? 0 : *std::max_element(powers.begin(), powers.end());
  if (!(loudest > 0)) return 1;
  const double threshold = loudest * std::pow(10, -range_db / 10);
  const auto silent =
      std::count_if(powers.begin(), powers.end(), [&](double power) { return power < threshold; });
  return static_cast<double>(silent) / static_cast<double>(powers.size());
}

Waveform scale_to(const Waveform& wave, double rms) {
  const double level = active_rms(wave);
  if (!(level > 0)) return wave;
  return {(wave.samples.cast<double>() * (rms / level)).cast<float>(), wave.sample_rate_hz};
}

}  // namespace ser
