#include "ser/core/base64.h"

#include <array>
#include <cstdint>

#include "core/internal/fail.h"

namespace ser {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kInvalid = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

std::uint32_t value(char c) { return kValues[static_cast<unsigned char>(c)]; }

/// The position, from `begin` on, of the first character outside the alphabet.
std::size_t first_invalid(std::string_view text, std::size_t begin) {
  return text.find_first_not_of(kAlphabet, begin);
}

[[noreturn]] void bad_character(std::size_t position) {
  fail("base64: invalid character at position {}", position);
}

}  // namespace

std::string base64_encode(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t present = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < present ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j)
      text.push_back(j <= present ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
  }
  return text;
}

void base64_decode(std::string_view text, std::span<std::byte> out) {
  const std::size_t expected = (out.size() + 2) / 3 * 4;
  if (text.size() != expected)
    fail("base64: expected {} characters for {} bytes, found {}", expected, out.size(),
         text.size());
  std::size_t i = 0, o = 0;
  for (; o + 3 <= out.size(); i += 4, o += 3) {
    const std::array<std::uint32_t, 4> v = {value(text[i]), value(text[i + 1]), value(text[i + 2]),
                                            value(text[i + 3])};
    if ((v[0] | v[1] | v[2] | v[3]) > 63) bad_character(first_invalid(text, i));
    const std::uint32_t group = v[0] << 18 | v[1] << 12 | v[2] << 6 | v[3];
    out[o] = static_cast<std::byte>(group >> 16);
    out[o + 1] = static_cast<std::byte>(group >> 8 & 0xff);
    out[o + 2] = static_cast<std::byte>(group & 0xff);
  }
  const std::size_t rest = out.size() - o;  // 1 or 2 bytes, which padding follows, or none
  if (rest == 0) return;
  std::uint32_t group = 0;
  for (std::size_t j = 0; j < 4; ++j) {
    const bool padding = j > rest;
    if (padding ? text[i + j] != '=' : value(text[i + j]) > 63) bad_character(i + j);
    group = group << 6 | (padding ? 0 : value(text[i + j]));
  }
  for (std::size_t j = 0; j < rest; ++j)
    out[o + j] = static_cast<std::byte>(group >> (16 - 8 * j) & 0xff);
}

}  // namespace ser
