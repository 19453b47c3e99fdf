#include "corpus/clip_table.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"

namespace ser {
namespace {

constexpr std::string_view kVotes = "votes";

constexpr auto kNames = [] {
  std::array<std::string_view, kClipFields.size() + 1> names;
  for (std::size_t i = 0; i < kClipFields.size(); ++i) names[i] = kClipFields[i].name;
  names.back() = kVotes;
  return names;
}();

std::map<std::string, double> votes_from_json(const Json& object) {
  if (!object.is_object()) fail("'votes': expected an object");
  std::map<std::string, double> votes;
  for (const auto& [emotion, count] : object.items()) {
    if (!count.is_number() || !(count.get<double>() > 0) || !std::isfinite(count.get<double>()))
      fail("'votes': expected numbers above 0, found {} for '{}'", dump_text(count), emotion);
    votes[emotion] = count.get<double>();
  }
  return votes;
}

Utterance clip_from_json(const Json& object) {
  check_keys(object, kNames, "clip");
  Utterance clip;
  for (const auto& [name, field] : kClipFields) {
    const auto found = object.find(std::string(name));
    if (found == object.end()) continue;
    if (!found->is_string()) fail("'{}': expected text", name);
    clip.*field = found->get<std::string>();
  }
  if (clip.path.empty()) fail("expected a path, found none");
  if (const auto votes = object.find(std::string(kVotes)); votes != object.end())
    clip.votes = votes_from_json(*votes);
  return clip;
}

}  // namespace

std::string clips_to_json(const std::vector<Utterance>& clips) {
  Json list = Json::array();
  for (const Utterance& clip : clips) {
    Json object = Json::object();
    for (const auto& [name, field] : kClipFields)
      if (!(clip.*field).empty()) object[std::string(name)] = clip.*field;
    if (!clip.votes.empty()) object[std::string(kVotes)] = clip.votes;
    list.push_back(std::move(object));
  }
  return dump_text(list);
}

std::vector<Utterance> clips_from_json(std::string_view text) {
  const Json list = parse_json(text, "clips");
  if (!list.is_array()) fail("clips: expected a list");
  std::vector<Utterance> clips;
  for (const Json& object : list)
    clips.push_back(
        with_context(fmt::format("clip {}", clips.size()), [&] { return clip_from_json(object); }));
  return clips;
}

}  // namespace ser
