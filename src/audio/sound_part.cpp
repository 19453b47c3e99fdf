#include "audio/sound_part.h"

#include <algorithm>
#include <string_view>

#include "audio/chunk_file.h"
#include "audio/flac_frames.h"
#include "audio/mp3_frames.h"
#include "audio/nist_sound.h"
#include "audio/ogg_pages.h"
#include "audio/tags.h"

namespace ser {

SoundParts find_sound(const ByteSource& source) {
  const std::int64_t begin = skip_tags(source, 0);
  for (const auto& find :
       {find_flac_sound, find_chunk_sound, find_ogg_sound, find_nist_sound, find_mp3_sound})
    if (SoundParts found = find(source, begin); !found.parts.empty()) return found;
  return {{{begin, source.size()}}, {}};
}

std::int64_t PartFile::read(std::span<char> out) {
  const std::string_view head =
      std::string_view(part_.prefix).substr(std::min(position_, prefix_bytes()));
  const std::size_t from_prefix = std::min(head.size(), out.size());
  std::copy_n(head.data(), from_prefix, out.data());
  out = out.subspan(from_prefix);
  position_ += from_prefix;
  if (out.empty()) return from_prefix;
  const std::int64_t at = part_.begin + position_ - prefix_bytes();
  const auto want = std::clamp<std::int64_t>(part_.end - at, 0, out.size());
  out = out.first(want);
  const std::int64_t got = source_.read_at(at, out);
  for (const Patch& patch : part_.patches)
    for (std::size_t i = 0; i < patch.bytes.size(); ++i) {
      const std::int64_t place = patch.at + static_cast<std::int64_t>(i) - at;
      if (place >= 0 && place < got) out[place] = patch.bytes[i];
    }
  position_ += got;
  source_.set_position(at + got);
  return from_prefix + got;
}

std::int64_t PartFile::seek(std::int64_t offset, int whence) {
  const std::int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position_ : size();
  // A lying header asks for places outside the file.
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
  position_ = std::min(target, size());
  return position_;
}

}  // namespace ser
