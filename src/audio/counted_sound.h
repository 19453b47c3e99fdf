#pragma once

#include "audio/sound_part.h"

namespace ser {

/// The sound of files whose header counts it and whose decoder takes what is there for that count:
/// NIST SPHERE, Creative Voice (its first block of sound), MATLAB 4 as libsndfile writes it, MIDI
/// Sample Dump and AVR. No part for other content. A notice tells of sound that the file breaks off
/// before.
SoundParts find_counted_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
