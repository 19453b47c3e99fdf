#include "audio/sound_part.h"

#include <algorithm>
#include <string_view>

#include "audio/chunk_file.h"
#include "audio/mp3_frames.h"
#include "audio/ogg_pages.h"

namespace ser {
namespace {

/// Beginning of a FLAC file: its name and the head of the block that always comes first, 34 bytes
/// long (RFC 9639, 8.1 and 8.2), which other sound resembles once in 2^60 bytes.
bool begins_flac(std::string_view bytes) {
  using namespace std::string_view_literals;
  return bytes.size() >= 8 && bytes.starts_with("fLaC") && (bytes[4] & 0x7f) == 0 &&
         bytes.substr(5, 3) == "\0\0\x22"sv;
}

SoundParts find_flac(const ByteSource& source) {
  constexpr std::size_t kBlock = 1 << 20, kHead = 8;
  std::vector<std::int64_t> begins = {0};
  for (std::int64_t at = 1; at < source.size(); at += kBlock) {
    const std::string block = source.text_at(at, kBlock + kHead - 1);
    for (std::size_t i = block.find("fLaC"); i < kBlock; i = block.find("fLaC", i + 1))
      if (begins_flac(std::string_view(block).substr(i)))
        begins.push_back(at + static_cast<std::int64_t>(i));
  }
  begins.push_back(source.size());
  SoundParts found;
  for (std::size_t i = 0; i + 1 < begins.size(); ++i)
    found.parts.push_back({begins[i], begins[i + 1]});
  return found;
}

}  // namespace

SoundParts find_sound(const ByteSource& source) {
  if (begins_flac(source.text_at(0, 8))) return find_flac(source);
  for (const auto& find : {find_chunk_sound, find_ogg_sound, find_mp3_sound})
    if (SoundParts found = find(source); !found.parts.empty()) return found;
  return {{{0, source.size()}}, {}};
}

std::int64_t PartFile::read(std::span<char> out) {
  const std::string_view head =
      std::string_view(part_.prefix)
          .substr(static_cast<std::size_t>(std::min(position_, prefix_bytes())));
  const std::size_t from_prefix = std::min(head.size(), out.size());
  std::copy_n(head.data(), from_prefix, out.data());
  out = out.subspan(from_prefix);
  position_ += static_cast<std::int64_t>(from_prefix);
  if (out.empty()) return static_cast<std::int64_t>(from_prefix);
  const std::int64_t at = part_.begin + position_ - prefix_bytes();
  const auto want =
      std::clamp<std::int64_t>(part_.end - at, 0, static_cast<std::int64_t>(out.size()));
  out = out.first(static_cast<std::size_t>(want));
  const std::int64_t got = source_.read_at(at, out);
  for (const Patch& patch : part_.patches)
    for (std::size_t i = 0; i < patch.bytes.size(); ++i) {
      const std::int64_t place = patch.at + static_cast<std::int64_t>(i) - at;
      if (place >= 0 && place < got) out[static_cast<std::size_t>(place)] = patch.bytes[i];
    }
  position_ += got;
  source_.set_position(at + got);
  return static_cast<std::int64_t>(from_prefix) + got;
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
