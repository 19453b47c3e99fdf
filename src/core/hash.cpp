#include "ser/core/hash.h"

#include <fmt/format.h>

namespace ser {

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t state) {
  for (const char c : bytes) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001b3u;
  }
  return state;
}

std::string fingerprint(std::string_view bytes) { return fmt::format("{:016x}", fnv1a(bytes)); }

}  // namespace ser
