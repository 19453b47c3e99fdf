#pragma once

#include <cstdint>

#include "audio/byte_source.h"

namespace ser {

/// Bytes of the tag that begins at `at`: ID3v2 (id3.org, 2.4.0, 3.1), ID3v1 (the last 128 bytes),
/// APEv2 (header or footer first) or Lyrics3; 0 where there is none.
std::int64_t tag_bytes(const ByteSource& source, std::int64_t at);

/// The place behind all tags that begin at `at`.
std::int64_t skip_tags(const ByteSource& source, std::int64_t at);

}  // namespace ser
