#include "features/noise_floor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "ser/core/rng.h"

namespace ser {
namespace {

using Eigen::Index;

// Chosen on EMO-DB left out and 31 clips of TESS.
constexpr double kNoiseEnough_dB = -36, kNoiseLacking_dB = -42;
constexpr double kLeastNoise_dB = 40, kMostNoise_dB = 30;

constexpr double kLow_hz = 300, kHigh_hz = 2000;  // where a voice covers it least between words
constexpr double kQuiet = 0.05;                   // share of the frames that are between the words

StftOptions short_frames(int sample_rate_hz) {
  StftOptions options;
  options.window_samples = sample_rate_hz / 40;
  options.fft_size = static_cast<int>(std::bit_ceil(static_cast<unsigned>(options.window_samples)));
  options.hop_samples = sample_rate_hz / 100;
  return options;
}

/// The noise between the words, as that of white noise relative to the voice, dB.
double floor_db(const Analysis& levelled, double active_rms) {
  const int rate_hz = levelled.wave().sample_rate_hz;
  const StftOptions options = short_frames(rate_hz);
  const FrameMatrix& power = levelled.power(options);
  const auto bin = [&](double hz) {
    return std::min<Index>(power.rows() - 1, std::lround(hz * options.fft_size / rate_hz));
  };
  // White noise has powers of an exponential distribution; a Hann window keeps 3/8 of its energy.
  const double mean = 0.375 * options.window() * active_rms * active_rms;
  const double quiet = -std::log(1 - kQuiet) * mean;
  std::vector<float> frames(power.cols());
  const auto quietest = frames.begin() + static_cast<Index>(kQuiet * double(frames.size() - 1));
  double sum = 0;
  for (Index k = bin(kLow_hz); k <= bin(kHigh_hz); ++k) {
    for (Index t = 0; t < power.cols(); ++t) frames[t] = power(k, t);
    std::nth_element(frames.begin(), quietest, frames.end());
    sum += std::log10(std::max(1e-12, *quietest / quiet));
  }
  return 10 * sum / static_cast<double>(bin(kHigh_hz) - bin(kLow_hz) + 1);
}

}  // namespace

std::optional<double> lacking_noise_db(const Analysis& levelled, double active_rms) {
  const double found = floor_db(levelled, active_rms);
  if (found >= kNoiseEnough_dB) return {};
  const double share =
      std::min(1.0, (kNoiseEnough_dB - found) / (kNoiseEnough_dB - kNoiseLacking_dB));
  return kLeastNoise_dB + share * (kMostNoise_dB - kLeastNoise_dB);
}

Waveform with_noise(Waveform wave, double rms) {
  if (wave.samples.isZero(0)) return wave;
  Rng rng(1, 0);
  const double most = std::sqrt(3.0) * rms;
  for (float& sample : wave.samples) sample += static_cast<float>(rng.uniform(-most, most));
  return wave;
}

}  // namespace ser
