#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"

namespace ser {

/// JSON whose keys keep the order they were written in, so that files are stable.
using Json = nlohmann::ordered_json;

/// Builds a document from a parser's events in a time that grows with the text alone.
/// Throws Error for text nested deeper than 256 levels, which functions that walk it could not
/// bear, for an object of more than 1,024 members, in which looking up keys would take long, and
/// for one that has a key twice.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(document_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override;
  bool end_array() override { return close(); }
  bool key(string_t& name) override;
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& reason) override;

 protected:
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  /// The key whose value comes next; none in a list.
  std::string_view key() const { return key_; }
  /// Where in the file something of the parsed text stands.
  virtual std::size_t whole_position(std::size_t position) const { return position; }

 private:
  Json* place(Json value);
  bool open(Json container);
  bool close();

  Json document_;
  std::vector<Json*> open_;  ///< stable: only the innermost container grows
  std::string key_;
};

/// Throws Error "<what>: not valid JSON ..." with the byte where parsing stopped, and for what
/// JsonBuilder refuses.
Json parse_json(std::string_view text, std::string_view what);

/// Throws Error if `object` is no object or holds a key that is not in `known`.
void check_keys(const Json& object, std::span<const std::string_view> known, std::string_view what);

/// The value under `key`. Throws Error, as those below, naming the key.
const Json& value_at(const Json& object, std::string_view key);
double number_at(const Json& object, std::string_view key);
/// Whole and not negative.
std::uint64_t count_at(const Json& object, std::string_view key);
/// "" where it is null.
std::string text_at(const Json& object, std::string_view key);
/// An object as JSON text, of a megabyte at most.
std::string object_text_at(const Json& object, std::string_view key);
const Json& list_at(const Json& object, std::string_view key);
/// A list of at most `most` names.
std::vector<std::string> names_at(const Json& object, std::string_view key, std::size_t most);

/// null for an empty text.
Json text_or_null(const std::string& text);

/// `json` on one line, or over several with `indent` spaces a level; bytes in it that are not UTF-8
/// (of file names) become U+FFFD each. Used in place of `dump`, which every source that calls it
/// compiles anew.
std::string dump_text(const Json& json, int indent = -1);

/// The object, text as in `dump_text`, with one line a key, and one line an item of a list of
/// objects.
std::string dump_lines(const Json& object);

Json write_options_json(const Visitable& options);
void options_from_json(const Json& json, Visitable options);

template <typename Options>
Json options_to_json(Options options) {
  return write_options_json(options);
}

}  // namespace ser
