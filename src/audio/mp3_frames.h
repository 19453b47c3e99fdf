#pragma once

#include "audio/sound_part.h"

namespace ser {

/// The sound of MP3 files (MPEG layer III) from `begin` on, which is behind their tags; no part for
/// other content. Where the bit rate varies and no Xing header tells the number of frames, they are
/// counted and one is put in front ("Xing", flags, frames), because a decoder guesses the number
/// from the first frame's rate and stops there. A header that tells too few is corrected; one that
/// tells too many gives a notice. A file behind another one, told by its own header or the tag
/// between them, is a part of its own. A free bit rate is left to libsndfile.
SoundParts find_mp3_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
