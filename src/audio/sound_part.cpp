#include "audio/sound_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "audio/chunk_file.h"

namespace ser {
namespace {

constexpr std::uint64_t kNistHeaderBytes = 1024;

/// The number behind "`name` -i " in a header of lines; 1 where there is none.
std::uint64_t number_of(std::string_view head, std::string_view name) {
  std::uint64_t value = 1;
  const std::size_t at = head.find(fmt::format("\n{} -i ", name));
  if (at == std::string_view::npos) return value;
  const std::string_view text = head.substr(at + name.size() + 5);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

SoundParts find_nist_sound(const ByteSource& source, std::int64_t begin) {
  const std::string head = source.text_at(begin, kNistHeaderBytes);
  if (!head.starts_with("NIST_1A\n   1024\n") || head.find("\nsample_count -i ") == head.npos)
    return {};
  SoundParts found{{{begin, source.size()}}, {}};
  const std::uint64_t told = number_of(head, "sample_count") * number_of(head, "channel_count") *
                             number_of(head, "sample_n_bytes");
  const std::uint64_t there = source.size() - begin;
  if (there > kNistHeaderBytes && there - kNistHeaderBytes < told)
    found.notices.push_back(
        fmt::format("breaks off: {} of the {} bytes of sound that its header tells of",
                    there - kNistHeaderBytes, told));
  return found;
}

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
