#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ser {

/// 64-bit FNV-1a hash. Stable across machines and versions; not cryptographic.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t state = 0xcbf29ce484222325u);

/// `fnv1a` as 16 hexadecimal digits.
std::string fingerprint(std::string_view bytes);

}  // namespace ser
