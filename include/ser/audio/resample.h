#pragma once

#include "ser/audio/waveform.h"

namespace ser {

/// The waveform at another sampling rate, by libsoxr's HQ recipe in float on one thread, as
/// librosa's `res_type="soxr_hq"` gives it (differences about 1e-6).
/// Length: ceil(size * new rate / old rate). The same rate returns a copy.
/// Throws Error for rates outside 1 to 400,000 Hz.
Waveform resample(const Waveform& wave, int sample_rate_hz);

}  // namespace ser
