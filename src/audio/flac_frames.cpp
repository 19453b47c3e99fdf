#include "audio/sound_part.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <map>
#include <optional>
#include <vector>

#include "audio/number_bytes.h"

namespace ser {
namespace {

/// Beginning of a file: its name and the head of the block that always comes first, 34 bytes long
/// (RFC 9639, 8.1 and 8.2), which other sound resembles once in 2^60 bytes.
bool begins_file(std::string_view bytes) {
  using namespace std::string_view_literals;
  return bytes.size() >= 8 && bytes.starts_with("fLaC") && (bytes[4] & 0x7f) == 0 &&
         bytes.substr(5, 3) == "\0\0\x22"sv;
}

int file_rate_hz(const ByteSource& source, std::int64_t file) {
  return static_cast<int>(to_number(source.text_at(file + 18, 3), std::endian::big) >> 4);
}

/// CRC of a frame's header, x^8 + x^2 + x + 1.
unsigned checksum(std::string_view bytes) {
  unsigned crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1 ^ (crc & 0x80 ? 0x107 : 0)) & 0xff;
  }
  return crc;
}

/// The sampling rate in a frame's header (RFC 9639, 9.1), 0 for that of the file; nothing for bytes
/// that are no header.
std::optional<int> frame_rate_hz(std::string_view bytes) {
  constexpr std::array kRates = {0,     88200, 176400, 192000, 8000,  16000,
                                 22050, 24000, 32000,  44100,  48000, 96000};
  if (bytes.size() < 6) return std::nullopt;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::size_t rate = at(2) & 15, block = at(2) >> 4;
  const int number_bytes = std::max(1, std::countl_one(at(4)));
  if (at(0) != 0xff || (at(1) & 0xfe) != 0xf8 || rate == 15 || block == 0 || (at(3) & 1) != 0 ||
      number_bytes == 8)
    return std::nullopt;
  const std::size_t of_block = block == 6 ? 1 : block == 7 ? 2 : 0;
  const std::size_t of_rate = rate == 12 ? 1 : rate > 12 ? 2 : 0;
  const std::size_t rate_at = 4 + number_bytes + of_block;
  const std::size_t end = rate_at + of_rate;
  if (bytes.size() <= end || checksum(bytes.substr(0, end)) != at(end)) return std::nullopt;
  if (rate < kRates.size()) return kRates[rate];
  constexpr std::array kUnits = {1000, 1, 10};
  return static_cast<int>(to_number(bytes.substr(rate_at, of_rate), std::endian::big)) *
         kUnits[rate - 12];
}

/// What the frames of a file tell.
class Rates {
 public:
  explicit Rates(int file_hz) : file_hz_(file_hz) {}
  void add(int rate_hz) { ++counts_[rate_hz == 0 ? file_hz_ : rate_hz]; }

  /// Empty if there is one rate. Sound looks like a frame's header now and then.
  std::string notice() const {
    constexpr double kLeastShare = 0.02;
    int all = 0;
    for (const auto& [rate, count] : counts_) all += count;
    std::vector<int> others;
    for (const auto& [rate, count] : counts_)
      if (rate != file_hz_ && count > 1 && count > kLeastShare * all) others.push_back(rate);
    if (others.empty()) return "";
    return fmt::format("its sampling rate changes to {} Hz: read at {} Hz to its end",
                       fmt::join(others, ", "), file_hz_);
  }

 private:
  int file_hz_;
  std::map<int, int> counts_;
};

}  // namespace

SoundParts find_flac_sound(const ByteSource& source, std::int64_t begin) {
  constexpr std::size_t kBlock = 1 << 20, kLongestHead = 16;
  SoundParts found;
  if (!begins_file(source.text_at(begin, kLongestHead))) return found;
  Rates rates(file_rate_hz(source, begin));
  const std::int64_t end = before_tags(source, begin, source.size());
  found.parts.push_back({begin, source.size()});
  for (std::int64_t at = begin + 1; at < source.size(); at += kBlock) {
    const std::string text = source.text_at(at, kBlock + kLongestHead);
    const std::string_view block = text;
    for (std::size_t i = block.find("fLaC"); i < kBlock; i = block.find("fLaC", i + 1)) {
      if (!begins_file(block.substr(i))) continue;
      found.parts.back().end = at + i;
      found.parts.push_back({found.parts.back().end, source.size()});
    }
    for (std::size_t i = block.find("ID3"); i < kBlock; i = block.find("ID3", i + 1))
      if (const std::int64_t tag = at + static_cast<std::int64_t>(i);
          tag > found.parts.back().begin && id3v2_end(source, tag) == end)
        found.parts.back().end = tag;
    for (std::size_t i = block.find('\xff'); i < kBlock; i = block.find('\xff', i + 1))
      if (const std::optional<int> rate = frame_rate_hz(block.substr(i))) rates.add(*rate);
  }
  for (SoundPart& part : found.parts) part.end = before_tags(source, part.begin, part.end);
  // A file behind another one is told about when it is opened.
  if (const std::string notice = rates.notice(); !notice.empty() && found.parts.size() == 1)
    found.notices.push_back(notice);
  return found;
}

}  // namespace ser
