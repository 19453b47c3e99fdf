#include "ser/audio/trim.h"

#include <algorithm>
#include <cmath>

#include "core/internal/fail.h"

namespace ser {
namespace {

constexpr Eigen::Index kTrimHop = 512;
constexpr Eigen::Index kHopsPerFrame = 4;

/// Sum of squares of each frame, centred on multiples of the hop: 1 + samples / hop of them.
Eigen::VectorXd frame_energies(const Eigen::VectorXf& samples) {
  const Eigen::Index num_frames = 1 + samples.size() / kTrimHop;
  Eigen::VectorXd hop_energies = Eigen::VectorXd::Zero(num_frames + kHopsPerFrame);
  for (Eigen::Index begin = 0; begin < samples.size(); begin += kTrimHop) {
    const Eigen::Index count = std::min(kTrimHop, samples.size() - begin);
    hop_energies[kHopsPerFrame / 2 + begin / kTrimHop] =
        samples.segment(begin, count).cast<double>().squaredNorm();
  }
  Eigen::VectorXd energies(num_frames);
  for (Eigen::Index frame = 0; frame < num_frames; ++frame)
    energies[frame] = hop_energies.segment(frame, kHopsPerFrame).sum();
  return energies;
}

}  // namespace

SampleRange active_range(const Waveform& wave, double top_db) {
  if (!(top_db > 0)) fail("trimming: expected a level above 0 dB, found {} dB", top_db);
  const Eigen::VectorXd energies = frame_energies(wave.samples);
  const double loudest = *std::max_element(energies.begin(), energies.end());
  if (!(loudest > 0)) return {0, wave.samples.size()};
  const double threshold = loudest * std::pow(10, -top_db / 10);
  // The loudest frame is sound whatever the rounding: 1e-17 dB make a threshold equal to it.
  const auto is_active = [&](double energy) { return energy > threshold || energy == loudest; };
  Eigen::Index first = 0, last = energies.size() - 1;
  while (!is_active(energies[first])) ++first;
  while (!is_active(energies[last])) --last;
  return {first * kTrimHop, std::min((last + 1) * kTrimHop, wave.samples.size())};
}

}  // namespace ser
