#pragma once

#include "ser/audio/waveform.h"
#include "ser/core/rng.h"

namespace ser {

/// A room: the sound itself and a tail of noise that falls by 60 dB in `rt60_s`, both of the same
/// energy (Polack 1988); at the level of the recording, with its size.
Waveform reverberated(const Waveform& wave, double rt60_s, Rng& rng);

}  // namespace ser
