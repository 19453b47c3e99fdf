#pragma once

#include <string>
#include <string_view>

namespace ser {

/// What a file seems to be, judged by its first bytes: "a FLAC file", "text", ... For messages;
/// 64 bytes are enough.
std::string_view kind_of_content(std::string_view head);

/// The same of one that cannot be decoded: "a damaged FLAC file".
std::string_view describe_content(std::string_view head);

/// Why a file that begins so is refused, and what may help; a few hundred bytes tell the most.
std::string unsupported_content(std::string_view head);

/// Whether there are only bytes that text is made of.
bool is_text(std::string_view bytes);

}  // namespace ser
