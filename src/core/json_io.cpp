#include "core/json_io.h"

#include <fmt/format.h>

#include "ser/core/error.h"

namespace ser {

Json parse_json(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(fmt::format("{}: not valid JSON (stopped at byte {})", what, error.byte));
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
