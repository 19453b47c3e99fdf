#pragma once

#include <vector>

#include "ser/audio/trim.h"
#include "ser/audio/waveform.h"

namespace ser {

/// Whether there is speech in a recording, and where.
struct Speech {
  bool found = false;
  std::vector<SampleRange> parts;  ///< in order, apart from each other; empty if not found
};

/// Looks for speech. Found only where the sound has a voice (periodic at 70 to 600 Hz) whose pitch
/// glides, whose spectrum moves with the formants and whose loudness moves with the syllables, at 2
/// to 8 Hz (Scheirer and Slaney 1997); so not in silence, noise, hum, tones, sweeps, clicks, and
/// hardly ever in music. Whispering has no voice and is not found; a solo instrument with a strong
/// vibrato may be taken for speech. Loudness does not matter.
/// It takes half a second of sound at least; in more than 5 s, stretches of up to 5 s are judged
/// one by one, and a quarter of those that have a voice must be speech. Parts: the voiced sounds of
/// such stretches and 0.2 s around each.
Speech find_speech(const Waveform& wave);

/// Whether `find_speech` finds speech.
bool is_speech(const Waveform& wave);

}  // namespace ser
