#include "ser/core/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cmath>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/text.h"

namespace ser {
namespace {

class JsonWriter : public FieldVisitor {
 public:
  explicit JsonWriter(Json& object) : object_(object) {}

  void field(std::string_view name, bool& v, std::string_view) override { put(name, v); }
  void field(std::string_view name, int& v, std::string_view, const Range&) override {
    put(name, v);
  }
  void field(std::string_view name, double& v, std::string_view, const Range&) override {
    put(name, v);
  }
  void field(std::string_view name, std::string& v, std::string_view) override { put(name, v); }
  void field(std::string_view name, std::vector<std::string>& v, std::string_view) override {
    put(name, v);
  }

  void list(std::string_view name, ObjectList& objects) override {
    Json array = Json::array();
    for (std::size_t i = 0; i < objects.size(); ++i) {
      Json object = {{"type", objects.type(i)}};
      JsonWriter writer(object);
      objects.visit(i, writer);
      array.push_back(std::move(object));
    }
    put(name, std::move(array));
  }

 protected:
  void choice_field(std::string_view name, std::size_t& chosen,
                    std::span<const std::string_view> spellings, std::string_view) override {
    put(name, spellings[chosen]);
  }
  void group_field(std::string_view name, const Visitable& options) override {
    put(name, write_options_json(options));
  }

 private:
  void put(std::string_view name, Json value) { object_[std::string(name)] = std::move(value); }

  Json& object_;
};

constexpr int kMaxOptionDepth = 32;
constexpr std::size_t kMaxObjects = 256;  // of a list

/// "an integer in [1, 4096]".
std::string expected(std::string_view kind, const Range& range) {
  return fmt::format("{} in {}", kind, to_string(range));
}

/// Takes fields out of one JSON object and remembers the names asked for, to tell of unknown ones.
class JsonReader : public FieldVisitor {
 public:
  JsonReader(const Json& object, std::string prefix, int depth)
      : object_(object), prefix_(std::move(prefix)), depth_(depth) {
    if (depth > kMaxOptionDepth) fail("options are nested deeper than {} levels", kMaxOptionDepth);
    if (!object.is_object())
      fail("{}: expected a JSON object, found {}",
           prefix_.empty() ? "options" : "option '" + prefix_.substr(0, prefix_.size() - 1) + "'",
           object.type_name());
  }

  void field(std::string_view name, bool& value, std::string_view) override {
    if (const Json* json = take(name)) {
      if (!json->is_boolean()) wrong_type(name, "true or false", *json);
      value = json->get<bool>();
    }
  }
  void field(std::string_view name, int& value, std::string_view, const Range& range) override {
    const Json* json = take(name);
    if (!json) return;
    const bool whole = json->is_number() &&
                       json->get<double>() == std::floor(json->get<double>()) &&
                       Range{INT_MIN, INT_MAX}.contains(json->get<double>());
    if (!whole || !range.contains(json->get<double>()))
      wrong_type(name, expected("an integer", range), *json);
    value = static_cast<int>(json->get<double>());
  }
  void field(std::string_view name, double& value, std::string_view, const Range& range) override {
    const Json* json = take(name);
    if (!json) return;
    if (!json->is_number() || !std::isfinite(json->get<double>()) ||
        !range.contains(json->get<double>()))
      wrong_type(name, expected("a number", range), *json);
    value = json->get<double>();
  }
  void field(std::string_view name, std::string& value, std::string_view) override {
    if (const Json* json = take(name)) value = text(name, *json);
  }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view) override {
    const Json* json = take(name);
    if (!json) return;
    if (!json->is_array()) wrong_type(name, "a list", *json);
    value.clear();
    for (const Json& item : *json) value.push_back(text(name, item));
  }

  void list(std::string_view name, ObjectList& objects) override {
    const Json* json = take(name);
    if (!json) return;
    if (!json->is_array()) wrong_type(name, "a list of objects", *json);
    if (json->size() > kMaxObjects)
      fail("option '{}{}': expected at most {} objects, found {}", prefix_, name, kMaxObjects,
           json->size());
    objects.clear();
    for (std::size_t i = 0; i < json->size(); ++i) {
      const Json& item = (*json)[i];
      const std::string where = fmt::format("{}{}[{}]", prefix_, name, i);
      if (!item.is_object() || !item.contains("type") || !item["type"].is_string())
        fail("option '{}': expected an object with a \"type\"", where);
      with_context(fmt::format("option '{}'", where),
                   [&] { objects.append(item["type"].get<std::string>()); });
      JsonReader reader(item, where + ".", depth_ + 1);
      reader.known_.push_back("type");
      objects.visit(i, reader);
      reader.finish();
    }
  }

  /// Throws Error if the object has a key that no field asked for.
  void finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        fail("unknown option '{}{}'{}", prefix_, key, did_you_mean(key, known_));
    }
  }

 protected:
  void choice_field(std::string_view name, std::size_t& chosen,
                    std::span<const std::string_view> spellings, std::string_view) override {
    const Json* json = take(name);
    if (!json) return;
    const std::string value = text(name, *json);
    const auto found = std::find(spellings.begin(), spellings.end(), value);
    if (found == spellings.end())
      fail("option '{}{}': expected one of {}, found '{}'{}", prefix_, name,
           fmt::join(spellings, ", "), value, did_you_mean(value, spellings));
    chosen = found - spellings.begin();
  }

  void group_field(std::string_view name, const Visitable& options) override {
    const Json* json = take(name);
    if (!json) return;
    JsonReader reader(*json, fmt::format("{}{}.", prefix_, name), depth_ + 1);
    options.visit(reader);
    reader.finish();
  }

 private:
  const Json* take(std::string_view name) {
    known_.emplace_back(name);
    const auto found = object_.find(std::string(name));
    return found == object_.end() ? nullptr : &*found;
  }

  [[noreturn]] void wrong_type(std::string_view name, std::string_view expected,
                               const Json& found) const {
    fail("option '{}{}': expected {}, found {}", prefix_, name, expected,
         dump_text(found).substr(0, 40));
  }

  std::string text(std::string_view name, const Json& json) const {
    if (!json.is_string()) wrong_type(name, "a string", json);
    return json.get<std::string>();
  }
  const Json& object_;
  std::string prefix_;
  int depth_;
  std::vector<std::string> known_;
};

}  // namespace

std::string to_string(const Range& range) {
  return fmt::format("{}{}, {}{}", range.has_low ? '[' : '(', range.low, range.high,
                     range.has_high ? ']' : ')');
}

Json write_options_json(const Visitable& options) {
  Json object = Json::object();
  JsonWriter writer(object);
  options.visit(writer);
  return object;
}

void options_from_json(const Json& json, Visitable options) {
  JsonReader reader(json, "", 0);
  options.visit(reader);
  reader.finish();
}

void from_json(std::string_view json, Visitable options) {
  options_from_json(parse_json(json, "options"), options);
}

namespace detail {

std::string write_options(const Visitable& options, int indent) {
  return dump_text(write_options_json(options), indent);
}

void check_ranges(const Visitable& options) {
  options_from_json(write_options_json(options), options);
}

}  // namespace detail
}  // namespace ser
