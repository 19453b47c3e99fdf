#include "ser/audio/level.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ser {
namespace {

constexpr double kFrameS = 0.025;

}  // namespace

LevelMeter::LevelMeter(int sample_rate_hz)
    : frame_samples_(static_cast<std::size_t>(std::max(1L, std::lround(kFrameS * sample_rate_hz)))),
      last_samples_(frame_samples_) {}

void LevelMeter::add(std::span<const float> samples) {
  while (!samples.empty()) {
    if (last_samples_ == frame_samples_) {
      energies_.push_back(0);
      last_samples_ = 0;
    }
    const std::size_t count = std::min(frame_samples_ - last_samples_, samples.size());
    energies_.back() += Eigen::VectorXf::Map(samples.data(), static_cast<Eigen::Index>(count))
                            .cast<double>()
                            .squaredNorm();
    last_samples_ += count;
    samples = samples.subspan(count);
  }
}

/// Mean squares of the frames, which lie side by side; the last one may be shorter.
std::vector<double> LevelMeter::powers() const {
  std::vector<double> powers = energies_;
  for (double& power : powers) power /= frame_samples_;
  if (!powers.empty()) powers.back() = energies_.back() / static_cast<double>(last_samples_);
  return powers;
}

double LevelMeter::active_rms(double range_db) const {
  const std::vector<double> powers = this->powers();
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

double LevelMeter::silent_share(double range_db) const {
  const std::vector<double> powers = this->powers();
  const double loudest = powers.empty() ? 0 : *std::max_element(powers.begin(), powers.end());
  if (!(loudest > 0)) return 1;
  const double threshold = loudest * std::pow(10, -range_db / 10);
  const auto silent =
      std::count_if(powers.begin(), powers.end(), [&](double power) { return power < threshold; });
  return static_cast<double>(silent) / powers.size();
}

double active_rms(const Waveform& wave, double range_db) {
  LevelMeter meter(wave.sample_rate_hz);
  meter.add({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
  return meter.active_rms(range_db);
}

Waveform scale_to(const Waveform& wave, double rms) {
  const double level = active_rms(wave);
  if (!(level > 0)) return wave;
  return {(wave.samples.cast<double>() * (rms / level)).cast<float>(), wave.sample_rate_hz};
}

}  // namespace ser
