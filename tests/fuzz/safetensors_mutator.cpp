// For feature files: changes of the JSON header, whose size stands before it, and of the JSON texts
// in its metadata.
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/mutate_json.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Json = nlohmann::ordered_json;

/// The header with one of the JSON texts of its metadata changed, or the header itself.
std::string changed_header(const std::string& header, unsigned seed) {
  Json json = Json::parse(header, nullptr, false);
  const bool inside = seed % 2 == 0 && json.is_object() && json.contains("__metadata__") &&
                      json["__metadata__"].is_object() && !json["__metadata__"].empty();
  if (!inside) return ser::fuzz::mutate_json(header, seed);
  Json& metadata = json["__metadata__"];
  auto entry = metadata.begin();
  std::advance(entry, seed / 2 % metadata.size());
  if (!entry->is_string()) return {};
  const std::string text = ser::fuzz::mutate_json(entry->get<std::string>(), seed);
  if (text.empty()) return {};
  *entry = text;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  std::uint64_t header_size = 0;
  if (size >= 8) std::memcpy(&header_size, data, 8);
  if (seed % 4 == 0 || size < 8 || header_size > size - 8)
    return LLVMFuzzerMutate(data, size, max_size);
  const std::string header(reinterpret_cast<const char*>(data) + 8, header_size);
  const std::string rest(reinterpret_cast<const char*>(data) + 8 + header_size,
                         size - 8 - header_size);
  std::string changed = changed_header(header, seed / 4);
  changed.append((8 - changed.size() % 8) % 8, ' ');
  if (changed.size() == 0 || 8 + changed.size() + rest.size() > max_size)
    return LLVMFuzzerMutate(data, size, max_size);
  const std::uint64_t changed_size = changed.size();
  std::memcpy(data, &changed_size, 8);
  std::memcpy(data + 8, changed.data(), changed.size());
  std::memcpy(data + 8 + changed.size(), rest.data(), rest.size());
  return 8 + changed.size() + rest.size();
}
