#pragma once

#include "audio/sound_part.h"

namespace ser {

/// The sound of Ogg files (RFC 3533) from `begin` on; no part for other content. Streams that
/// follow each other ("chained": joined files, radio) are a part each. A notice tells of a last
/// page that is cut off, or missing.
SoundParts find_ogg_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
