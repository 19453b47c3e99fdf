#include "core/internal/json_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kMaxMembers = 1024;

/// Throws Error for text nested so deeply that functions which walk it would exhaust the stack, or
/// with objects so large that looking up each key as it is read would take very long.
void check_shape(std::string_view text, std::string_view what) {
  struct Level {
    bool is_object;
    std::size_t members;
  };
  std::vector<Level> levels;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if (c == '[' || c == '{') levels.push_back({c == '{', 1});
    if ((c == ']' || c == '}') && !levels.empty()) levels.pop_back();
    if (levels.size() > kMaxDepth)
      throw Error(fmt::format("{}: JSON is nested deeper than {} levels", what, kMaxDepth));
    if (c == ',' && !levels.empty() && ++levels.back().members > kMaxMembers &&
        levels.back().is_object)
      throw Error(fmt::format("{}: a JSON object has more than {} members", what, kMaxMembers));
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  check_shape(text, what);
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

std::string dump_lines(const Json& object) {
  std::string text = "{";
  for (const auto& [key, value] : object.items()) {
    text += fmt::format("{}\n  {}: ", text.size() > 1 ? "," : "", Json(key).dump());
    if (!value.is_array() || value.empty() || !value.front().is_object()) {
      text += value.dump();
      continue;
    }
    for (std::size_t i = 0; i < value.size(); ++i)
      text += fmt::format("{}\n    {}", i == 0 ? "[" : ",", value[i].dump());
    text += "\n  ]";
  }
  return text + "\n}\n";
}

}  // namespace ser
