#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ser {

/// Base64 (RFC 4648, padded) of `bytes`.
std::string base64_encode(std::span<const std::byte> bytes);

/// Decodes into `out`. Throws Error if `text` is not padded base64 of exactly out.size() bytes.
void base64_decode(std::string_view text, std::span<std::byte> out);

}  // namespace ser
