#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace ser {

/// The unsigned integer that up to eight bytes spell.
inline std::uint64_t to_number(std::string_view bytes, std::endian order = std::endian::little) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = order == std::endian::big ? i : bytes.size() - 1 - i;
    value = value << 8 | static_cast<unsigned char>(bytes[at]);
  }
  return value;
}

/// `count` bytes that spell an unsigned integer.
inline std::string to_bytes(std::uint64_t value, std::size_t count,
                            std::endian order = std::endian::little) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i, value >>= 8)
    bytes[order == std::endian::big ? count - 1 - i : i] = static_cast<char>(value);
  return bytes;
}

}  // namespace ser
