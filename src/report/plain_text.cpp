#include "report/plain_text.h"

#include <algorithm>
#include <span>
#include <vector>

#include "ser/core/text.h"

namespace ser::report {
namespace {

/// Bytes of the UTF-8 character that `text` starts with; 0 if it starts with none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size)
    if (is_utf8(text.substr(0, size))) return size;
  return 0;
}

bool can_be_shown(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const bool control = character.size() == 1 && (first < 0x20 || first == 0x7f);
  const bool late_control =
      character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  const bool no_character = character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf";
  return !control && !late_control && !no_character;
}

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, size));
    characters.emplace_back(size > 0 && can_be_shown(character) ? character : "?");
    text.remove_prefix(character.size());
  }
  return characters;
}

}  // namespace

std::string plain_text(std::string_view text, std::size_t most_characters) {
  const std::vector<std::string> characters = characters_of(text);
  if (characters.size() <= most_characters) return join(characters, "");
  const std::size_t head = most_characters / 2, tail = most_characters - head - 1;
  const std::span<const std::string> all(characters);
  return join(all.first(head), "") + "…" + join(all.last(tail), "");
}

}  // namespace ser::report
