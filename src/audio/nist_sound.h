#pragma once

#include "audio/sound_part.h"

namespace ser {

/// The sound of a NIST SPHERE file; no part for other content. Its decoder takes what is there for
/// what its header counts, so a notice tells of sound that the file breaks off before.
SoundParts find_nist_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
