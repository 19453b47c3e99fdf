#include "model/model_json.h"

#include <fmt/format.h>

#include "ser/core/base64.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::size_t kMaxDepth = 64;

/// Bytes that padded base64 text of this length holds.
std::size_t decoded_size(std::string_view text) {
  if (text.size() % 4 != 0) throw Error("base64: the length is no multiple of four");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

/// Builds the document from parser events.
class DocumentBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit DocumentBuilder(ModelDocument& document) : document_(document) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool binary(binary_t&) override { return false; }

  bool string(string_t& value) override {
    if (key_ != "data" || open_.empty() || !open_.back()->is_object()) return put(value);
    std::vector<std::byte> bytes(decoded_size(value));
    base64_decode(value, bytes);
    document_.blobs.push_back(std::move(bytes));
    return put(document_.blobs.size() - 1);
  }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) throw Error(fmt::format("the key '{}' stands twice", name));
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    throw Error(fmt::format("not valid JSON (stopped at byte {})", position));
  }

 private:
  Json* place(Json value) {
    if (open_.empty()) {
      document_.json = std::move(value);
      return &document_.json;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json container) {
    if (open_.size() == kMaxDepth)
      throw Error(fmt::format("JSON nested deeper than {} levels", kMaxDepth));
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    key_.clear();
    return true;
  }

  ModelDocument& document_;
  std::vector<Json*> open_;  ///< stable: only the innermost container grows
  std::string key_;
};

}  // namespace

ModelDocument parse_model_document(std::span<const std::byte> text) {
  ModelDocument document;
  DocumentBuilder builder(document);
  const char* const begin = reinterpret_cast<const char*>(text.data());
  Json::sax_parse(begin, begin + text.size(), &builder);
  return document;
}

}  // namespace ser
