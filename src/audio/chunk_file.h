#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "audio/sound_part.h"

namespace ser {

/// From here on, a size of 32 bits says that it was not known: programs that write to a pipe put
/// the largest number there that they dare.
inline constexpr std::uint64_t kUnknownSize = 0x7FFF0000;

/// Whether `bytes` begin like a chunk: a name of four letters, digits or blanks, and a size of at
/// most `most_bytes`. Sound does so once in a hundred thousand times.
bool begins_chunk(std::string_view bytes, std::uint64_t most_bytes,
                  std::endian order = std::endian::little);

/// How many bytes of `behind` a chunk of odd size come before the next chunk, which begins at an
/// even place: 1, or 0 where the writer forgot that.
std::size_t padding_of(std::string_view behind, std::endian order = std::endian::little);
inline constexpr std::size_t kPaddingBytes = 9;  ///< that `padding_of` looks at

/// The sound of files made of chunks (WAV, RIFX, RF64, BW64, AIFF, Wave64, CAF), and of AU files,
/// from `begin` on; no part for other content. Further chunks of sound are parts, too.
///
/// A recorder that dies never says how much sound it wrote: its header has 0, the largest number or
/// an old one. So a size is believed where the file ends there, or a chunk, a tag or another file
/// begins there; else the sound goes on to the end of the file. What that cannot tell: sound whose
/// first bytes look like a chunk (see `begins_chunk`), and bytes without a name behind a true size,
/// which are taken for sound unless they are no numbers of sound, as among floats they may be.
/// Notices name both sizes where the header had one.
SoundParts find_chunk_sound(const ByteSource& source, std::int64_t begin);

}  // namespace ser
