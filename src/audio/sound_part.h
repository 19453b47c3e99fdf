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
