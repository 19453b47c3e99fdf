#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ser/audio/waveform.h"

namespace ser {

/// RMS of the active parts: over frames of 25 ms, side by side, whose level is within `range_db` of
/// the loudest one. Pauses and digital silence do not count, so it tells how loud the voice is.
/// 0 for digital silence and for no samples. A copy at g times the amplitude gives g times the RMS.
double active_rms(const Waveform& wave, double range_db = 30);

/// The same of sound that comes block by block; 8 bytes a frame are kept.
class LevelMeter {
 public:
  explicit LevelMeter(int sample_rate_hz);
  void add(std::span<const float> samples);
  double active_rms(double range_db = 30) const;
  /// Share of the frames that are more than `range_db` below the loudest one; 1 for digital
  /// silence. Independent of gain.
  double silent_share(double range_db = 40) const;

 private:
  std::vector<double> powers() const;

  std::size_t frame_samples_;
  std::vector<double> energies_;  ///< of the frames
  std::size_t last_samples_ = 0;  ///< in the last frame
};

/// The waveform scaled to an active RMS of `rms`; silence is returned as it is.
/// Copies of a recording at different gains come out the same (to float rounding).
Waveform scale_to(const Waveform& wave, double rms);

}  // namespace ser
