#pragma once

#include <optional>

#include "ser/audio/waveform.h"
#include "ser/features/analysis.h"

namespace ser {

/// How far below the voice white noise is, dB, that a recording lacks; nothing for one that has
/// noise of its own. What is heard between the words tells, from 300 to 2,000 Hz: where it is less
/// than 36 dB below the voice, nothing is lacking; from 42 dB on, noise of 30 dB; in between, of 40
/// to 30 dB.
///
/// In very clean recordings a network reads how quiet the room was, which says nothing about the
/// voice, and such noise covers it. Of RAVDESS one recording in twenty lacks noise, of CREMA-D
/// none, of EMO-DB half, of TESS nearly all. levelled: at an active RMS of `active_rms`.
std::optional<double> lacking_noise_db(const Analysis& levelled, double active_rms);

/// With white noise of that RMS, the same at every call. Digital silence stays silent.
Waveform with_noise(Waveform wave, double rms);

}  // namespace ser
