#include "core/json_io.h"

#include <fmt/format.h>

#include "ser/core/error.h"

namespace ser {
namespace {

constexpr int kMaxDepth = 256;

/// Throws Error for text nested so deeply that functions which walk it would exhaust the stack.
void check_depth(std::string_view text, std::string_view what) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth > kMaxDepth)
      throw Error(fmt::format("{}: JSON is nested deeper than {} levels", what, kMaxDepth));
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  check_depth(text, what);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(fmt::format("{}: not valid JSON (stopped at byte {})", what, error.byte));
  } catch (const Json::out_of_range&) {
    throw Error(fmt::format("{}: not valid JSON (a number is too large)", what));
  }
}

void check_keys(const Json& object, std::span<const std::string_view> known,
                std::string_view what) {
  if (!object.is_object())
    throw Error(fmt::format("{}: expected a JSON object, found {}", what, object.type_name()));
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(fmt::format("{}: unknown key '{}'", what, key));
  }
}

}  // namespace ser
