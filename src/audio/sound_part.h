#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audio/byte_source.h"

namespace ser {

/// Bytes that stand in a file's place for those it has there.
struct Patch {
  std::int64_t at = 0;
  std::string bytes;
};

/// Bytes [begin, end) of a source that are decoded as a file of their own, with what its header
/// should have said.
struct SoundPart {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string prefix = {};          ///< comes before the first byte
  std::vector<Patch> patches = {};  ///< places are those of the source
  bool guessed = false;             ///< its decoder guesses how much sound there is
};

/// A recording as its file holds it: one part, or several where files were joined end to end.
struct SoundParts {
  std::vector<SoundPart> parts;
  std::vector<std::string> notices;  ///< what its reader should know: sound that is missing, ...
};

/// Finds the sound that libsndfile alone would leave unread, because headers tell less than is
/// there: size fields of a recorder that never closed its file, MP3 of a varying bit rate without
/// the number of its frames, sound in several chunks, files joined end to end or behind tags. At
/// least one part, also of unknown content.
SoundParts find_sound(const ByteSource& source);

/// The sound of FLAC files (RFC 9639) from `begin` on; no part for other content. Files joined end
/// to end are a part each. A notice tells of a sampling rate that changes, which no decoder
/// follows.
SoundParts find_flac_sound(const ByteSource& source, std::int64_t begin);

/// The sound of Ogg files (RFC 3533) from `begin` on; no part for other content. Streams that
/// follow each other ("chained": joined files, radio) are a part each. A notice tells of a last
/// page that is cut off, or missing.
SoundParts find_ogg_sound(const ByteSource& source, std::int64_t begin);

/// The sound of a NIST SPHERE file; no part for other content. Its decoder takes what is there for
/// what its header counts, so a notice tells of sound that the file breaks off before.
SoundParts find_nist_sound(const ByteSource& source, std::int64_t begin);

/// The sound of MP3 files (MPEG layer III) from `begin` on, which is behind their tags; no part for
/// other content. Where the bit rate varies and no Xing header tells the number of frames, they are
/// counted and one is put in front ("Xing", flags, frames), because a decoder guesses the number
/// from the first frame's rate and stops there. A header that tells too few is corrected; one that
/// tells too many gives a notice. A file behind another one, told by its own header or the tag
/// between them, is a part of its own. A free bit rate is left to libsndfile.
SoundParts find_mp3_sound(const ByteSource& source, std::int64_t begin);

/// Bytes of the tag that begins at `at`: ID3v2 (id3.org, 2.4.0, 3.1), ID3v1 (the last 128 bytes),
/// APEv2 (header or footer first) or Lyrics3; 0 where there is none.
std::int64_t tag_bytes(const ByteSource& source, std::int64_t at);

/// Where the tags begin that end at `end`, none of them before `begin`: `end` if there is none. An
/// ID3v2 tag without a footer is not seen from behind.
std::int64_t before_tags(const ByteSource& source, std::int64_t begin, std::int64_t end);

/// Where the ID3v2 tag that begins at `at` tells that it ends: sound may hold these letters, too.
std::int64_t id3v2_end(const ByteSource& source, std::int64_t at);

/// The place behind all tags that begin at `at`.
std::int64_t skip_tags(const ByteSource& source, std::int64_t at);

/// A part, read like a file of its own.
class PartFile {
 public:
  PartFile(ByteSource& source, SoundPart part) : source_(source), part_(std::move(part)) {}

  std::int64_t size() const { return prefix_bytes() + part_.end - part_.begin; }
  std::int64_t position() const { return position_; }
  /// Copies the next bytes to `out`; returns how many there were.
  std::int64_t read(std::span<char> out);
  /// As lseek, but never beyond the end; -1 for a place that cannot be.
  std::int64_t seek(std::int64_t offset, int whence);

 private:
  std::int64_t prefix_bytes() const { return static_cast<std::int64_t>(part_.prefix.size()); }

  ByteSource& source_;
  SoundPart part_;
  std::int64_t position_ = 0;
};

}  // namespace ser
