#include "core/internal/json_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/internal/fail.h"

namespace ser {
namespace {

constexpr std::size_t kMaxJsonDepth = 256;
constexpr std::size_t kMaxMembers = 1024;

using Members = Json::object_t::Container;

/// Their keys are constant, so that a vector that grows copies members with all that is in them.
void make_room(Members& members) {
  Members larger;
  larger.reserve(2 * members.size() + 1);
  for (auto& [key, value] : members) larger.emplace_back(key, std::move(value));
  members.swap(larger);
}

/// A key that two members have, or null.
const std::string* repeated_key(const Members& members) {
  std::vector<const std::string*> keys;
  for (const auto& [key, value] : members) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto twin = std::adjacent_find(keys.begin(), keys.end(),
                                       [](const auto* a, const auto* b) { return *a == *b; });
  return twin == keys.end() ? nullptr : *twin;
}

}  // namespace

bool JsonBuilder::end_object() {
  if (const std::string* key = repeated_key(open_.back()->get_ref<Json::object_t&>()))
    fail("the key '{}' stands twice", *key);
  return close();
}

bool JsonBuilder::key(string_t& name) {
  if (open_.back()->size() == kMaxMembers)
    fail("a JSON object has more than {} members", kMaxMembers);
  key_ = std::move(name);
  return true;
}

bool JsonBuilder::parse_error(std::size_t position, const std::string&,
                              const nlohmann::detail::exception& reason) {
  constexpr int kNumberOutOfRange = 406;
  if (reason.id == kNumberOutOfRange) fail("not valid JSON (a number is too large)");
  if (whole_position(position) <= 1) fail("expected JSON, found none from the first byte on");
  const bool ended = std::string_view(reason.what()).find("end of input") != std::string_view::npos;
  fail("not valid JSON (stopped at byte {}{})", whole_position(position),
       ended ? ", where it ends" : "");
}

Json* JsonBuilder::place(Json value) {
  if (open_.empty()) {
    document_ = std::move(value);
    return &document_;
  }
  Json& parent = *open_.back();
  if (parent.is_array()) {
    parent.push_back(std::move(value));
    return &parent.back();
  }
  // Straight to the end: operator[] would look through all members first.
  Members& members = parent.get_ref<Json::object_t&>();
  if (members.size() == members.capacity()) make_room(members);
  return &members.emplace_back(key_, std::move(value)).second;
}

bool JsonBuilder::open(Json container) {
  if (open_.size() == kMaxJsonDepth) fail("JSON is nested deeper than {} levels", kMaxJsonDepth);
  open_.push_back(place(std::move(container)));
  key_.clear();
  return true;
}

bool JsonBuilder::close() {
  open_.pop_back();
  key_.clear();
  return true;
}

Json parse_json(std::string_view text, std::string_view what) {
  return with_context(std::string(what), [&] {
    JsonBuilder builder;
    Json::sax_parse(text, &builder);
    return builder.take();
  });
}

const Json& value_at(const Json& object, std::string_view key) {
  if (!object.is_object()) fail("expected '{}' in an object, found {}", key, object.type_name());
  const auto found = object.find(std::string(key));
  if (found == object.end()) fail("'{}' is missing", key);
  return *found;
}

double number_at(const Json& object, std::string_view key) {
  const Json& value = value_at(object, key);
  if (!value.is_number()) fail("'{}': expected a number", key);
  return value.get<double>();
}

std::uint64_t count_at(const Json& object, std::string_view key) {
  const Json& value = value_at(object, key);
  if (!value.is_number_unsigned()) fail("'{}': expected a whole number of 0 or more", key);
  return value.get<std::uint64_t>();
}

std::string text_at(const Json& object, std::string_view key) {
  const Json& value = value_at(object, key);
  if (value.is_null()) return "";
  if (!value.is_string()) fail("'{}': expected text", key);
  return value.get<std::string>();
}

std::string object_text_at(const Json& object, std::string_view key) {
  constexpr std::size_t kMostBytes = 1 << 20;
  const Json& value = value_at(object, key);
  if (!value.is_object()) fail("'{}': expected an object, found {}", key, value.type_name());
  std::string text = dump_text(value);
  if (text.size() > kMostBytes) fail("'{}': expected at most {} bytes", key, kMostBytes);
  return text;
}

const Json& list_at(const Json& object, std::string_view key) {
  const Json& value = value_at(object, key);
  if (!value.is_array()) fail("'{}': expected a list", key);
  return value;
}

std::vector<std::string> names_at(const Json& object, std::string_view key, std::size_t most) {
  const Json& list = list_at(object, key);
  if (list.size() > most) fail("'{}': expected a list of at most {} names", key, most);
  std::vector<std::string> names;
  for (const Json& item : list) {
    if (!item.is_string()) fail("'{}': expected names", key);
    names.push_back(item.get<std::string>());
  }
  return names;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

void check_keys(const Json& object, std::span<const std::string_view> known,
                std::string_view what) {
  if (!object.is_object()) fail("{}: expected a JSON object, found {}", what, object.type_name());
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail("{}: unknown key '{}'", what, key);
  }
}

std::string dump_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string dump_lines(const Json& object) {
  std::string text = "{";
  for (const auto& [key, value] : object.items()) {
    text += fmt::format("{}\n  {}: ", text.size() > 1 ? "," : "", dump_text(key));
    if (!value.is_array() || value.empty() || !value.front().is_object()) {
      text += dump_text(value);
      continue;
    }
    for (std::size_t i = 0; i < value.size(); ++i)
      text += fmt::format("{}\n    {}", i == 0 ? "[" : ",", dump_text(value[i]));
    text += "\n  ]";
  }
  return text + "\n}\n";
}

}  // namespace ser
