#include "audio/sound_part.h"

#include <algorithm>

#include "audio/number_bytes.h"

namespace ser {
namespace {

constexpr std::int64_t kId3v1Bytes = 128, kId3v2Head = 10, kApeHead = 32;
constexpr std::uint32_t kApeHasHeader = 1u << 31, kApeIsHeader = 1u << 29;

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
  const bool begins_with_header = (to_number(bytes.substr(20, 4)) & kApeIsHeader) != 0;
  const std::int64_t size = to_number(bytes.substr(12, 4));
  return begins_with_header ? kApeHead + size : kApeHead;
}

/// Of the tag whose last byte stands before `end`; 0 if none does.
std::int64_t bytes_of_tag_before(const ByteSource& source, std::int64_t end) {
  if (source.text_at(std::max<std::int64_t>(0, end - kId3v1Bytes), 3) == "TAG") return kId3v1Bytes;
  const std::string ape = source.text_at(std::max<std::int64_t>(0, end - kApeHead), kApeHead);
  if (ape.starts_with("APETAGEX") && std::ssize(ape) == kApeHead) {
    const std::string_view bytes = ape;
    const bool has_header = (to_number(bytes.substr(20, 4)) & kApeHasHeader) != 0;
    return to_number(bytes.substr(12, 4)) + (has_header ? kApeHead : 0);
  }
  const std::string id3 = source.text_at(std::max<std::int64_t>(0, end - kId3v2Head), kId3v2Head);
  return id3.starts_with("3DI") && std::ssize(id3) == kId3v2Head ? id3v2_bytes(id3) : 0;
}

}  // namespace

std::int64_t before_tags(const ByteSource& source, std::int64_t begin, std::int64_t end) {
  while (true) {
    const std::int64_t bytes = bytes_of_tag_before(source, end);
    if (bytes <= 0 || end - bytes <= begin) return end;
    end -= bytes;
  }
}

std::int64_t id3v2_end(const ByteSource& source, std::int64_t at) {
  const std::string head = source.text_at(at, kId3v2Head);
  return std::ssize(head) == kId3v2Head ? at + id3v2_bytes(head) : at;
}

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
