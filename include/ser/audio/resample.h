#pragma once

#include <memory>
#include <span>

#include "ser/audio/waveform.h"

namespace ser {

/// The waveform at another sampling rate, by libsoxr's HQ recipe in float on one thread, as
/// librosa's `res_type="soxr_hq"` gives it (differences about 1e-6).
/// Length: ceil(size * new rate / old rate). The same rate returns a copy.
/// Throws Error for rates outside 1 to 400,000 Hz.
Waveform resample(const Waveform& wave, int sample_rate_hz);

/// The same, block by block: together the blocks are what `resample` makes of the whole.
class Resampler {
 public:
  /// Throws Error for rates outside 1 to 400,000 Hz.
  Resampler(int from_hz, int to_hz);
  ~Resampler();
  Resampler(Resampler&&) noexcept;

  /// What these samples complete, valid until the next call.
  std::span<const float> add(std::span<const float> samples);
  /// What is left at the end.
  std::span<const float> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
