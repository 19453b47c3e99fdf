#pragma once

#include <Eigen/Core>

#include "ser/audio/waveform.h"

namespace ser {

/// The samples without what lies under a voice: a Butterworth high-pass of eighth order, 3 dB down
/// at `cutoff_hz` and 76 dB at a third of it. Causal; as long as the input.
/// It starts in the state that leaves the least energy in the first 0.2 s. So a recording that
/// begins within an offset or a rumble starts without a transient, a constant gives zeros, and the
/// output is linear in the input: what lies under the voice changes nothing above it.
/// Throws Error unless 0 < cutoff_hz < half the sampling rate.
Waveform low_cut(const Waveform& wave, double cutoff_hz);

/// The samples without mains hum: steady lines at 50 or 60 Hz (to 0.4 Hz) and their multiples up to
/// 1.5 kHz, each fitted as one sinusoid and subtracted, in pieces of up to 8 s.
/// There is hum where the first line, at the mains frequency, which is below any voice, or at its
/// second or third multiple (rectifiers, telephones) beside other sound, keeps its phase
/// throughout. A line counts if it is as strong where the piece is faintest at that frequency, so a
/// held note, which pauses, stays. Less than 0.9 s, hum that begins or ends within a piece, and
/// sound without hum come back as they are.
Waveform remove_hum(const Waveform& wave);

}  // namespace ser
