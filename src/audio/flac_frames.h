#pragma once

#include "audio/sound_part.h"

namespace ser {

/// The sound of FLAC files (RFC 9639) from `begin` on; no part for other content. Files joined end
/// to end are a part each. A notice tells of a sampling rate that changes, which no decoder
/// follows.
SoundParts find_flac_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
