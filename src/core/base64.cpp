#include "ser/core/base64.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "ser/core/error.h"

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

[[noreturn]] void bad_character(std::size_t position) {
  throw Error(fmt::format("base64: invalid character at position {}", position));
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
    throw Error(fmt::format("base64: expected {} characters for {} bytes, found {}", expected,
                            out.size(), text.size()));
  for (std::size_t i = 0, o = 0; i < text.size(); i += 4) {
    const std::size_t present = std::min<std::size_t>(3, out.size() - o);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      std::uint8_t value = kValues[static_cast<unsigned char>(text[i + j])];
      if (j > present) value = text[i + j] == '=' ? 0 : kInvalid;
      if (value == kInvalid) bad_character(i + j);
      group = group << 6 | value;
    }
    for (std::size_t j = 0; j < present; ++j)
      out[o++] = static_cast<std::byte>(group >> (16 - 8 * j) & 0xff);
  }
}

}  // namespace ser
