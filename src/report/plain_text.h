#pragma once

#include <limits>
#include <string>
#include <string_view>

namespace ser::report {

/// `text` as one line that any picture can hold: bytes that are not UTF-8, control characters and
/// what XML forbids become '?'. Of more than `most_characters`, the middle is left out.
std::string plain_text(std::string_view text,
                       std::size_t most_characters = std::numeric_limits<std::size_t>::max());

}  // namespace ser::report
