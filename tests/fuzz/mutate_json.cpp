#include "fuzz/mutate_json.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "ser/core/rng.h"

namespace ser::fuzz {
namespace {

using Json = nlohmann::ordered_json;

void collect(Json& json, std::vector<Json*>& parts) {
  parts.push_back(&json);
  if (json.is_structured())
    for (Json& child : json) collect(child, parts);
}

Json edge_number(Rng& rng) {
  const Json numbers[] = {
      0,     -1,     1,      2,   2147483647, -2147483648,         1e9,
      1e300, -1e300, 1e-300, 0.5, 4294967296, 9223372036854775807, 18446744073709551615u};
  return numbers[rng.below(std::size(numbers))];
}

void multiply(Json& json, Rng& rng) {
  const std::int64_t factor = std::int64_t{1} << (1 + rng.below(16));
  if (json.is_number_integer())
    json = static_cast<std::int64_t>(static_cast<std::uint64_t>(json.get<std::int64_t>()) *
                                     static_cast<std::uint64_t>(factor));
  if (json.is_array())
    for (Json& item : json) multiply(item, rng);
}

void change_length(Json& json, Rng& rng) {
  std::string text = json.get<std::string>();
  if (rng.below(2) == 0)
    text.resize(text.size() / 4 * rng.below(5));
  else
    text += text.size() < 4096 ? text + "AAAA" : "AAAA";
  json = text;
}

void double_a_key(Json& json, Rng& rng) {
  auto& members = json.get_ref<Json::object_t&>();
  std::vector<std::pair<const std::string, Json>>& list = members;
  const auto& [key, value] = list[rng.below(list.size())];
  const std::string name = rng.below(2) ? key : key + "x";
  const Json copy = value;
  list.emplace_back(name, copy);
}

void nest(Json& json, Rng& rng) {
  const int levels = static_cast<int>(1 + rng.below(rng.below(8) == 0 ? 400 : 3));
  for (int i = 0; i < levels; ++i) json = rng.below(2) ? Json::array({json}) : Json{{"type", json}};
}

void change(Json& part, const std::vector<Json*>& parts, Rng& rng) {
  const std::uint64_t kind = rng.below(8);
  if (part.is_number() && kind < 5) {
    part = edge_number(rng);
  } else if (part.is_string() && kind < 3) {
    change_length(part, rng);
  } else if (part.is_object() && !part.empty() && kind < 3) {
    double_a_key(part, rng);
  } else if (part.is_structured() && !part.empty() && kind == 3) {
    part.erase(std::next(part.begin(), static_cast<std::ptrdiff_t>(rng.below(part.size()))));
  } else if (kind == 4 || part.is_array()) {
    multiply(part, rng);
  } else if (kind == 5) {
    nest(part, rng);
  } else {
    const Json other = *parts[rng.below(parts.size())];
    part = other;
  }
}

}  // namespace

std::string mutate_json(std::string_view text, unsigned seed) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return {};
  Rng rng(seed, 0);
  std::vector<Json*> parts;
  collect(json, parts);
  change(*parts[rng.below(parts.size())], parts, rng);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ser::fuzz
