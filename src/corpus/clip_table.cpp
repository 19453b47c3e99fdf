#include "corpus/clip_table.h"

#include <fmt/format.h>

#include "core/internal/json_io.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr auto kNames = [] {
  std::array<std::string_view, kClipFields.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kClipFields[i].name;
  return names;
}();

Utterance clip_from_json(const Json& object) {
  check_keys(object, kNames, "clip");
  Utterance clip;
  for (const auto& [name, field] : kClipFields) {
    const auto found = object.find(std::string(name));
    if (found == object.end()) continue;
    if (!found->is_string()) throw Error(fmt::format("'{}': expected text", name));
    clip.*field = found->get<std::string>();
  }
  if (clip.path.empty()) throw Error("expected a path, found none");
  return clip;
}

}  // namespace

std::string clips_to_json(const std::vector<Utterance>& clips) {
  Json list = Json::array();
  for (const Utterance& clip : clips) {
    Json object = Json::object();
    for (const auto& [name, field] : kClipFields)
      if (!(clip.*field).empty()) object[std::string(name)] = clip.*field;
    list.push_back(std::move(object));
  }
  return list.dump();
}

std::vector<Utterance> clips_from_json(std::string_view text) {
  const Json list = parse_json(text, "clips");
  if (!list.is_array()) throw Error("clips: expected a list");
  std::vector<Utterance> clips;
  for (const Json& object : list)
    clips.push_back(
        with_context(fmt::format("clip {}", clips.size()), [&] { return clip_from_json(object); }));
  return clips;
}

}  // namespace ser
