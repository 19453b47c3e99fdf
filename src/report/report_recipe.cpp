#include <fmt/format.h>

#include "core/internal/json_io.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/core/error.h"
#include "ser/train/recipe.h"

namespace ser::report {
namespace {

/// A switch that is off, a number that is 0, nothing named, a choice left to the program.
bool is_off(const Json& value) {
  return value == Json(false) || (value.is_number() && value == 0) || value == Json("") ||
         value == Json("none") || value == Json("auto") || (value.is_structured() && value.empty());
}

/// The recipe without what is off and without groups of options that are as they are by default.
Json what_matters(const Json& value, const Json& defaults) {
  if (value.is_array()) {
    Json kept = Json::array();
    for (const Json& item : value)
      kept.push_back(item.is_object() ? what_matters(item, Json::object()) : item);
    return kept;
  }
  Json kept = Json::object();
  for (const auto& [key, item] : value.items()) {
    const auto usual = defaults.find(key);
    if (item.is_structured()) {
      if (usual != defaults.end() && item == *usual) continue;
      kept[key] = what_matters(item, usual == defaults.end() ? Json::object() : *usual);
    } else if (!is_off(item)) {
      kept[key] = item;
    }
  }
  return kept;
}

/// JSON with spaces, an object or list on one line where it fits.
std::string laid_out(const Json& json, std::size_t indent) {
  constexpr std::size_t kLine = 108;
  if (!json.is_structured() || json.empty()) return json.dump();
  const auto write = [&](const std::string& open, const std::string& separator,
                         const std::string& close) {
    std::string text = open;
    for (const auto& [key, value] : json.items()) {
      if (text.size() > open.size()) text += separator;
      if (json.is_object()) text += Json(key).dump() + ": ";
      text += laid_out(value, indent + 2);
    }
    return text + close;
  };
  const bool object = json.is_object();
  std::string line = write(object ? "{" : "[", ", ", object ? "}" : "]");
  if (line.size() + indent <= kLine && line.find('\n') == std::string::npos) return line;
  const std::string inner(indent + 2, ' ');
  return write((object ? "{\n" : "[\n") + inner, ",\n" + inner,
               "\n" + std::string(indent, ' ') + (object ? "}" : "]"));
}

}  // namespace

std::string readable_recipe(const std::string& recipe) {
  const Json json = parse_json(recipe, "recipe");
  try {
    Recipe known;
    options_from_json(json, known);
    return laid_out(what_matters(options_to_json(known), options_to_json(Recipe{})), 0);
  } catch (const Error&) {
    return laid_out(json, 0);
  }
}

std::string recipe_section(const std::string& recipe) {
  if (recipe.empty()) return "";
  return section(
      "Recipe",
      "Options that are off are left out, and groups of options that have their defaults.",
      "<pre>" + escape(readable_recipe(recipe)) + "</pre>\n");
}

}  // namespace ser::report
