#include "audio/sound_part.h"

#include <algorithm>

#include "audio/number_bytes.h"

namespace ser {
namespace {

constexpr std::int64_t kId3v1Bytes = 128, kId3v2Head = 10, kApeHead = 32;

/// Seven bits a byte, so that no byte of it looks like sound.
std::int64_t syncsafe(std::string_view bytes) {
  std::int64_t value = 0;
  for (const char byte : bytes) value = value << 7 | (byte & 0x7f);
  return value;
}

std::int64_t id3v2_bytes(const std::string& head) {
  const bool has_footer = (head[5] & 0x10) != 0;
  return kId3v2Head + syncsafe(std::string_view(head).substr(6, 4)) + (has_footer ? kId3v2Head : 0);
}

/// The size that an APE tag tells counts its items and its footer, not its header.
std::int64_t ape_bytes(const std::string& head) {
  const std::string_view bytes = head;
  const bool begins_with_header = (to_number(bytes.substr(20, 4)) & (1u << 29)) != 0;
  const std::int64_t size = to_number(bytes.substr(12, 4));
  return begins_with_header ? kApeHead + size : kApeHead;
}

}  // namespace

std::int64_t tag_bytes(const ByteSource& source, std::int64_t at) {
  const std::int64_t left = source.size() - at;
  const std::string head = source.text_at(at, kApeHead);
  std::int64_t bytes = 0;
  if (left == kId3v1Bytes && head.starts_with("TAG"))
    bytes = kId3v1Bytes;
  else if (head.size() >= kId3v2Head && head.starts_with("ID3"))
    bytes = id3v2_bytes(head);
  else if (head.size() >= kApeHead && head.starts_with("APETAGEX"))
    bytes = ape_bytes(head);
  else if (head.starts_with("LYRICSBEGIN"))
    bytes = left;
  return std::min(bytes, left);
}

std::int64_t skip_tags(const ByteSource& source, std::int64_t at) {
  while (const std::int64_t bytes = tag_bytes(source, at)) at += bytes;
  return at;
}

}  // namespace ser
