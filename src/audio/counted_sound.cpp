#include "audio/counted_sound.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "audio/number_bytes.h"

namespace ser {
namespace {

constexpr std::size_t kHeadBytes = 1024;

/// Where the sound of a file stands in it.
struct Counted {
  std::uint64_t begin = 0, bytes = 0;
  std::uint64_t size_at = 0;  ///< place of a size of three bytes to correct; 0: none
};

/// The number behind "`name` -i " in a header of lines; 1 where there is none.
std::uint64_t nist_number(std::string_view head, std::string_view name) {
  std::uint64_t value = 1;
  const std::size_t at = head.find(fmt::format("\n{} -i ", name));
  if (at == std::string_view::npos) return value;
  const std::string_view text = head.substr(at + name.size() + 5);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<Counted> in_nist(std::string_view head) {
  if (!head.starts_with("NIST_1A\n   1024\n") ||
      head.find("\nsample_count -i ") == std::string_view::npos)
    return std::nullopt;
  return Counted{1024, nist_number(head, "sample_count") * nist_number(head, "channel_count") *
                           nist_number(head, "sample_n_bytes")};
}

/// Blocks: kind, size of three bytes, content; 1, 2 and 9 hold sound. Of kind 1 libsndfile refuses
/// a size that leaves no byte behind the block, so it is set to what is there but for one.
std::optional<Counted> in_voc(std::string_view head) {
  if (!head.starts_with("Creative Voice File\x1a")) return std::nullopt;
  std::uint64_t block = to_number(head.substr(20, 2));
  while (block + 4 <= head.size() && head[block] != 0) {
    const std::uint64_t size = to_number(head.substr(block + 1, 3));
    if (head[block] == 1 || head[block] == 2 || head[block] == 9)
      return Counted{block + 4, size, head[block] == 1 ? block + 1 : 0};
    block += 4 + size;
  }
  return std::nullopt;
}

/// Two matrices, "samplerate" and "wavedata": type (its digits: byte order, 0, numbers, 0), rows,
/// columns, 0, bytes of the name.
std::optional<Counted> in_mat4(std::string_view head) {
  constexpr std::string_view kFirst("\x0b\0\0\0samplerate\0", 15),
      kFirstBig("\0\0\0\x0bsamplerate\0", 15);
  constexpr std::array<std::uint64_t, 6> kNumberBytes = {8, 4, 4, 2, 2, 1};
  constexpr std::uint64_t kSecond = 16 + 15 + 8;
  const bool big = head.substr(16, 15) == kFirstBig;
  if (!big && head.substr(16, 15) != kFirst) return std::nullopt;
  const auto number = [&](std::uint64_t at) {
    return to_number(head.substr(at, 4), big ? std::endian::big : std::endian::little);
  };
  const std::uint64_t type = number(kSecond) / 10 % 10;
  if (type >= kNumberBytes.size()) return std::nullopt;
  return Counted{kSecond + 20 + number(kSecond + 16),
                 number(kSecond + 4) * number(kSecond + 8) * kNumberBytes[type]};
}

/// A header of 21 bytes, then packets of 127 that hold 120 bytes of 7 bits.
std::optional<Counted> in_sds(std::string_view head) {
  if (!head.starts_with("\xf0\x7e") || head[3] != 1) return std::nullopt;
  const auto byte = [&](std::size_t at) {
    return std::uint64_t{static_cast<unsigned char>(head[at])};
  };
  const std::uint64_t samples = byte(10) | byte(11) << 7 | byte(12) << 14;
  const std::uint64_t bytes = samples * ((byte(6) + 6) / 7);
  return Counted{21, (bytes + 119) / 120 * 127};
}

std::optional<Counted> in_avr(std::string_view head) {
  if (!head.starts_with("2BIT")) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t bytes) {
    return to_number(head.substr(at, bytes), std::endian::big);
  };
  return Counted{128, number(26, 4) * (number(12, 2) == 0 ? 1 : 2) * (number(14, 2) / 8)};
}

}  // namespace

SoundParts find_counted_sound(const ByteSource& source, std::int64_t begin) {
  const std::string head = source.text_at(begin, kHeadBytes);
  if (head.size() < 128) return {};
  for (const auto& find : {in_nist, in_voc, in_mat4, in_sds, in_avr}) {
    const std::optional<Counted> sound = find(head);
    if (!sound) continue;
    SoundParts found{{{begin, source.size()}}, {}};
    const auto there = static_cast<std::uint64_t>(source.size() - begin);
    if (there <= sound->begin || there - sound->begin > sound->bytes) return found;
    const std::uint64_t left = there - sound->begin;
    if (left < sound->bytes)
      found.notices.push_back(fmt::format(
          "breaks off: {} of the {} bytes of sound that its header tells of", left, sound->bytes));
    if (sound->size_at > 0)
      found.parts[0].patches = {
          {begin + static_cast<std::int64_t>(sound->size_at), to_bytes(left - 1, 3)}};
    return found;
  }
  return {};
}

}  // namespace ser
