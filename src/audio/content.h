#pragma once

#include <string_view>

namespace ser {

/// What a file that libsndfile refuses seems to be, judged by its first bytes: "an MP4 or M4A
/// file", "text", ... For messages; longer heads give better answers, 64 bytes are enough.
std::string_view describe_content(std::string_view head);

}  // namespace ser
