#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/rng.h"
#include "ser/core/text.h"
#include "ser/corpus/split.h"
#include "ser/eval/search.h"

namespace ser {
namespace {

constexpr std::uint64_t kTrialStream = 0x5ea7c4;

/// Both ends of a range. Throws Error unless they are numbers, the first below the second.
void read_range(const Json& range, SearchField& field) {
  if (!range.is_array() || range.size() != 2 || !range[0].is_number() || !range[1].is_number() ||
      !(range[0].get<double>() < range[1].get<double>()))
    fail("expected [low, high], found {}", dump_text(range));
  field.low = range[0].get<double>();
  field.high = range[1].get<double>();
}

SearchField read_field(const std::string& path, const Json& json) {
  if (path == "features") throw Error("every trial is trained on the features given");
  SearchField field{path, SearchField::Kind::kList, {}, 0, 0};
  if (json.is_array() && !json.empty()) {
    for (const Json& value : json) field.values.push_back(dump_text(value));
    return field;
  }
  static constexpr std::array<std::string_view, 2> kRanges = {"uniform", "log_uniform"};
  if (!json.is_object() || json.size() != 1)
    throw Error(
        "expected a list of values, {\"uniform\": [low, high]} or {\"log_uniform\": [low, high]}");
  check_keys(json, kRanges, "range");
  const bool is_log = json.contains("log_uniform");
  field.kind = is_log ? SearchField::Kind::kLogUniform : SearchField::Kind::kUniform;
  read_range(json.front(), field);
  if (is_log && !(field.low > 0)) fail("log_uniform: expected numbers above 0");
  return field;
}

/// The names on the way to a field: "network.layers[1].units" has four.
std::vector<std::string> steps_of(const std::string& path) {
  std::string dotted;
  for (const char c : path)
    if (c == '[')
      dotted += '.';
    else if (c != ']')
      dotted += c;
  return split(dotted, '.');
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// Where a field stands in a recipe. Throws Error, naming the nearest, if it does not.
Json& place_of(Json& recipe, const std::string& path) {
  Json* place = &recipe;
  for (const std::string& step : steps_of(path)) {
    const bool is_number =
        !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
    if (place->is_array() && is_number && step.size() < 6 &&
        static_cast<std::size_t>(parse_int(step, path)) < place->size()) {
      place = &(*place)[parse_int(step, path)];
    } else if (place->is_object() && place->contains(step)) {
      place = &(*place)[step];
    } else {
      fail("'{}': the recipe has no '{}' there{}", path, step,
           place->is_object() ? did_you_mean(step, keys_of(*place)) : "");
    }
  }
  return *place;
}

/// A value for the field; `there`: the one of the recipe, whose kind of number is kept.
Json draw_value(const SearchField& field, const Json& there, Rng& rng) {
  if (field.kind == SearchField::Kind::kList)
    return parse_json(field.values[rng.below(field.values.size())], "value");
  const double value = field.kind == SearchField::Kind::kUniform
                           ? rng.uniform(field.low, field.high)
                           : std::exp(rng.uniform(std::log(field.low), std::log(field.high)));
  constexpr double kMostWhole = 1e15;  // far beyond every range
  if (there.is_number_integer()) return std::llround(std::clamp(value, -kMostWhole, kMostWhole));
  return parse_json(fmt::format("{:.4g}", value), "value");  // as it is read, so is it trained
}

}  // namespace

void SearchSpace::visit(FieldVisitor& v) {
  v.choice("method", method, {{"halving", Method::kHalving}, {"random", Method::kRandom}},
           "What is trained in full: the best of few epochs, or every trial");
  v.field("rungs", rungs, "Numbers of epochs that trials are scored after", Range{1, 10});
  v.field("reduction", reduction, "Epochs grow, and trials shrink, by this from rung to rung",
          Range{2, 100});
  v.field("folds", folds, "What trials are scored on, within what is trained on");
}

SearchSpace parse_search_space(std::string_view text) {
  Json json = parse_json(text, "search space");
  const Json fields = value_at(json, "fields");
  json.erase("fields");
  SearchSpace space;
  options_from_json(json, space);
  with_context("'folds'", [&] { static_cast<void>(parse_split_scheme(space.folds)); });
  if (!fields.is_object() || fields.empty())
    fail("'fields': expected recipe fields and what they may be, found none");
  for (const auto& field : fields.items())
    space.fields.push_back(with_context(fmt::format("'{}'", field.key()),
                                        [&] { return read_field(field.key(), field.value()); }));
  return space;
}

std::vector<Trial> draw_trials(const SearchSpace& space, const Recipe& base, int count,
                               std::uint64_t seed) {
  const Json start = options_to_json(base);
  std::vector<Trial> trials;
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(seed, kTrialStream).fork(i);
    Json json = start;
    Trial trial;
    for (const SearchField& field : space.fields) {
      Json& place = place_of(json, field.path);
      place = draw_value(field, place, rng);
      trial.values.push_back(dump_text(place));
    }
    try {
      from_json(dump_text(json), trial.recipe);
      trial.recipe.validate();
    } catch (const Error& error) {
      trial.recipe = base;
      trial.failure = error.what();
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace ser
