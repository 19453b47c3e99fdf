#include "model/model_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "ser/core/base64.h"
#include "ser/core/error.h"

namespace ser {
namespace {

/// Bytes that padded base64 text of this length holds.
std::size_t decoded_size(std::string_view text) {
  if (text.size() % 4 != 0) throw Error("base64: the length is no multiple of four");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kLongText = 64;
constexpr std::string_view kMark = "@";  // no base64: stands where a long text was

/// JSON whose long texts under the key "data", and whose list of recordings, are left out. A
/// general parser takes them character by character, which would take longer than the prediction
/// that follows. (So read, best.json, 6 MB, takes 4.4 ms and default.json 1.2 ms; simdjson 3.0
/// takes 16.7 ms and 1.2 ms, with a padded copy.)
struct ShortenedJson {
  struct Cut {
    std::size_t position;  ///< in `text`
    std::size_t missing;   ///< characters less than in the whole
  };

  std::string text;                        ///< kMark stands where a text was left out
  std::vector<std::string_view> left_out;  ///< in order
  std::vector<std::string> recordings;
  std::vector<Cut> cuts;

  /// Where in the whole JSON something of `text` stands.
  std::size_t whole_position(std::size_t position) const {
    std::size_t whole = position;
    for (const Cut& cut : cuts)
      if (cut.position < position) whole += cut.missing;
    return whole;
  }
};

/// The position of the quote that closes a string, `begin` being behind the one that opens it.
std::size_t closing_quote(std::string_view json, std::size_t begin) {
  std::size_t at = begin;
  while ((at = json.find('"', at)) != std::string_view::npos) {
    std::size_t backslashes = 0;
    while (at - backslashes > begin && json[at - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return at;
    ++at;
  }
  return json.size();
}

/// Whether the string that begins behind json[quote] is a value under the key "data".
bool is_data(std::string_view json, std::size_t quote) {
  std::string_view before = json.substr(0, quote);
  const auto skip_space = [&] {
    while (!before.empty() && kSpace.find(before.back()) != before.npos) before.remove_suffix(1);
  };
  skip_space();
  if (!before.ends_with(':')) return false;
  before.remove_suffix(1);
  skip_space();
  return before.ends_with("\"data\"");
}

constexpr std::string_view kRecordings = "\"recordings\"";

/// The words of a list and where it is closed; none if it holds anything but hexadecimal numbers.
struct HashList {
  std::vector<std::string> words;
  std::size_t begin = 0, end = 0;
};

/// at: behind the key.
HashList read_hashes(std::string_view json, std::size_t at) {
  const auto next = [&](char expected) {
    at = json.find_first_not_of(kSpace, at);
    if (at == json.npos || json[at] != expected) return false;
    ++at;
    return true;
  };
  HashList list;
  if (!next(':') || !next('[')) return {};
  list.begin = at;
  do {
    if (!next('"')) return {};
    const std::size_t end = json.find_first_not_of("0123456789abcdef", at);
    list.words.emplace_back(json.substr(at, end - at));
    at = end;
    if (at == json.npos || !next('"')) return {};
  } while (next(','));
  list.end = at;
  return next(']') ? list : HashList();
}

/// The list of recordings, if there is only one.
HashList find_recordings(std::string_view json) {
  const std::size_t key = json.find(kRecordings);
  if (key == json.npos || json.find(kRecordings, key + 1) != json.npos) return {};
  return read_hashes(json, key + kRecordings.size());
}

ShortenedJson shorten(std::string_view json) {
  ShortenedJson shortened;
  std::size_t copied = 0, quote = 0;
  const auto leave_out = [&](std::size_t begin, std::size_t end, std::string_view mark) {
    shortened.text += json.substr(copied, begin - copied);
    shortened.cuts.push_back({shortened.text.size(), end - begin - mark.size()});
    shortened.text += mark;
    copied = end;
  };
  HashList recordings = find_recordings(json);
  while ((quote = json.find('"', quote)) != std::string_view::npos) {
    const std::size_t begin = quote + 1, end = closing_quote(json, begin);
    const std::string_view text = json.substr(begin, end - begin);
    if (begin > recordings.begin && quote < recordings.end) {
      leave_out(recordings.begin, recordings.end, "");
      quote = recordings.end;
      shortened.recordings = std::move(recordings.words);
      recordings = {};
      continue;
    }
    if (text.size() >= kLongText && is_data(json, quote)) {
      leave_out(begin, end, kMark);
      shortened.left_out.push_back(text);
    }
    quote = std::min(end + 1, json.size());
  }
  shortened.text += json.substr(copied);
  return shortened;
}

/// Decodes what was left out, and any other text under the key "data".
class ModelBuilder : public JsonBuilder {
 public:
  explicit ModelBuilder(const ShortenedJson& source) : source_(source) {}

  bool string(string_t& value) override {
    if (key() != "data") return put(value);
    const bool is_mark = value == kMark && taken_ < source_.left_out.size();
    const std::string_view text = is_mark ? source_.left_out[taken_++] : value;
    std::vector<std::byte> bytes(decoded_size(text));
    base64_decode(text, bytes);
    blobs.push_back(std::move(bytes));
    return put(blobs.size() - 1);
  }

  std::vector<std::vector<std::byte>> blobs;

 protected:
  std::size_t whole_position(std::size_t position) const override {
    return source_.whole_position(position);
  }

 private:
  const ShortenedJson& source_;
  std::size_t taken_ = 0;  ///< of the texts left out; they are met in order
};

}  // namespace

ModelDocument parse_model_document(std::span<const std::byte> text) {
  ShortenedJson shortened = shorten({reinterpret_cast<const char*>(text.data()), text.size()});
  ModelBuilder builder(shortened);
  Json::sax_parse(shortened.text, &builder);
  // Only in a file made to confuse are there marks of its own.
  if (builder.blobs.size() < shortened.left_out.size()) throw Error("'data': expected base64 text");
  return {builder.take(), std::move(builder.blobs), std::move(shortened.recordings)};
}

}  // namespace ser
