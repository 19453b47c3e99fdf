#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "ser/core/options.h"

namespace ser {

/// JSON whose keys keep the order they were written in, so that files are stable.
using Json = nlohmann::ordered_json;

/// Throws Error "<what>: not valid JSON ..." with the byte where parsing stopped, and for text
/// nested deeper than 256 levels or with an object of more than 1,024 members.
Json parse_json(std::string_view text, std::string_view what);

/// Throws Error if `object` is no object or holds a key that is not in `known`.
void check_keys(const Json& object, std::span<const std::string_view> known, std::string_view what);

/// The object with one line a key, and one line an item of a list of objects.
std::string dump_lines(const Json& object);

Json write_options_json(const Visitable& options);
void read_options_json(const Json& json, const Visitable& options);

template <typename Options>
Json options_to_json(Options options) {
  return write_options_json(Visitable(options));
}

template <typename Options>
void options_from_json(const Json& json, Options& options) {
  read_options_json(json, Visitable(options));
}

}  // namespace ser
