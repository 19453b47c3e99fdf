#pragma once

#include "ser/audio/waveform.h"

namespace ser {

/// RMS of the active parts: over frames of 25 ms, side by side, whose level is within `range_db` of
/// the loudest one. Pauses and digital silence do not count, so it tells how loud the voice is.
/// 0 for digital silence and for no samples. A copy at g times the amplitude gives g times the RMS.
double active_rms(const Waveform& wave, double range_db = 30);

/// Share of the frames of `active_rms` that are more than `range_db` below the loudest one; 1 for
/// digital silence. Independent of gain.
double silent_share(const Waveform& wave, double range_db = 40);

/// The waveform scaled to an active RMS of `rms`; silence is returned as it is.
/// Copies of a recording at different gains come out the same (to float rounding).
Waveform scale_to(const Waveform& wave, double rms);

}  // namespace ser
