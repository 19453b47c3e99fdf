#include "audio/sound_part.h"

#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <set>

namespace ser {
namespace {

constexpr std::string_view kMagic = "OggS";
constexpr std::size_t kPageHeadBytes = 27;  ///< before the table of segments

struct Page {
  std::int64_t bytes = 0;
  std::string stream;  ///< its serial number
  bool begins_stream = false, ends_stream = false;
  bool is_sound = false;  ///< begins a stream of sound
};

bool begins_sound(std::string_view packet) {
  return packet.starts_with("\1vorbis") || packet.starts_with("OpusHead") ||
         packet.starts_with("Speex   ") ||
         packet.starts_with(
             "\x7f"
             "FLAC");
}

std::optional<Page> page_at(const ByteSource& source, std::int64_t at) {
  const std::string head = source.text_at(at, kPageHeadBytes + 255 + 8);
  if (head.size() < kPageHeadBytes || !head.starts_with(kMagic)) return std::nullopt;
  const std::size_t segments = static_cast<unsigned char>(head[26]);
  if (head.size() < kPageHeadBytes + segments) return std::nullopt;
  const auto body = std::accumulate(
      head.begin() + kPageHeadBytes,
      head.begin() + static_cast<std::ptrdiff_t>(kPageHeadBytes + segments), std::int64_t{0},
      [](std::int64_t sum, char c) { return sum + static_cast<unsigned char>(c); });
  const std::size_t head_bytes = kPageHeadBytes + segments;
  const bool begins = (head[5] & 2) != 0;
  return Page{static_cast<std::int64_t>(head_bytes) + body, head.substr(14, 4), begins,
              (head[5] & 4) != 0,
              begins && begins_sound(std::string_view(head).substr(head_bytes))};
}

/// The next page behind damage.
std::int64_t find_page(const ByteSource& source, std::int64_t at) {
  constexpr std::int64_t kBlock = 1 << 16;
  for (; at < source.size(); at += kBlock) {
    const std::size_t found = source.text_at(at, kBlock + kMagic.size() - 1).find(kMagic);
    if (found != std::string::npos) return at + found;
  }
  return source.size();
}

}  // namespace

SoundParts find_ogg_sound(const ByteSource& source, std::int64_t begin) {
  SoundParts found;
  if (source.text_at(begin, kMagic.size()) != kMagic) return found;
  found.parts.push_back({begin, source.size()});
  bool may_begin = false;          // streams that begin together are one part
  std::set<std::string> sounding;  // streams that have not ended
  for (std::int64_t at = begin; at < source.size();) {
    const std::optional<Page> page = page_at(source, at);
    if (!page) {
      at = find_page(source, at + 1);
      continue;
    }
    if (page->begins_stream && may_begin) {
      found.parts.back().end = at;
      found.parts.push_back({at, source.size()});
      sounding.clear();
    }
    may_begin = !page->begins_stream;
    if (page->is_sound) sounding.insert(page->stream);
    if (page->ends_stream) sounding.erase(page->stream);
    at += page->bytes;
    if (at > source.size())
      found.notices.push_back(
          fmt::format("breaks off: {} bytes are missing from its last page", at - source.size()));
  }
  if (!sounding.empty() && found.notices.empty())
    found.notices.push_back("breaks off: the page that ends its sound is missing");
  return found;
}

}  // namespace ser
