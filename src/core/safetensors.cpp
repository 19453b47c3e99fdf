#include "ser/core/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 256u << 20;
constexpr std::size_t kAlignment = 8;

std::size_t dtype_bytes(DType dtype) { return dtype == DType::kF32 ? 4 : 8; }

/// As safetensors spells it.
std::string_view dtype_name(DType dtype) { return dtype == DType::kF32 ? "F32" : "I64"; }

DType parse_dtype(std::string_view name, std::string_view tensor) {
  for (const DType dtype : {DType::kF32, DType::kI64})
    if (dtype_name(dtype) == name) return dtype;
  fail("tensor '{}': expected type F32 or I64, found '{}'", tensor, name);
}

/// Elements of a tensor. Throws Error if a size is negative or the product leaves 63 bits.
std::uint64_t element_count(const std::vector<std::int64_t>& shape, std::string_view tensor) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 ||
        (size > 0 && count > (std::uint64_t{1} << 62) / static_cast<std::uint64_t>(size)))
      fail("tensor '{}': impossible shape", tensor);
    count *= static_cast<std::uint64_t>(size);
  }
  return count;
}

std::vector<std::int64_t> integers(const Json& json, std::string_view tensor) {
  if (!json.is_array()) fail("tensor '{}': expected a list of sizes", tensor);
  std::vector<std::int64_t> values;
  for (const Json& item : json) {
    if (!item.is_number_integer()) fail("tensor '{}': expected whole numbers", tensor);
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

SafetensorsFile::Tensor read_tensor(const std::string& name, const Json& entry,
                                    std::span<const std::byte> data) {
  static constexpr std::array<std::string_view, 3> kKeys = {"dtype", "shape", "data_offsets"};
  check_keys(entry, kKeys, fmt::format("tensor '{}'", name));
  for (const std::string_view key : kKeys)
    if (!entry.contains(std::string(key))) fail("tensor '{}': '{}' is missing", name, key);
  if (!entry["dtype"].is_string()) fail("tensor '{}': expected a type name", name);
  SafetensorsFile::Tensor tensor{
      parse_dtype(entry["dtype"].get<std::string>(), name), integers(entry["shape"], name), {}};
  const std::vector<std::int64_t> range = integers(entry["data_offsets"], name);
  if (range.size() != 2 || range[0] < 0 || range[1] < range[0] ||
      static_cast<std::uint64_t>(range[1]) > data.size())
    fail("tensor '{}': its bytes lie outside the file, as of one cut short", name);
  const std::uint64_t bytes = range[1] - range[0];
  const std::uint64_t count = element_count(tensor.shape, name);
  if (bytes % dtype_bytes(tensor.dtype) != 0 || bytes / dtype_bytes(tensor.dtype) != count)
    fail("tensor '{}': its shape needs {} elements, {} bytes are there", name, count, bytes);
  if (static_cast<std::uint64_t>(range[0]) % dtype_bytes(tensor.dtype) != 0)
    fail("tensor '{}': its data is not aligned", name);
  tensor.bytes = data.subspan(range[0], bytes);
  return tensor;
}

/// Throws Error unless the tensors, one behind the other, are all of the data.
void check_layout(const std::map<std::string, SafetensorsFile::Tensor>& tensors,
                  std::size_t data_bytes) {
  std::vector<std::span<const std::byte>> ranges;
  for (const auto& [name, tensor] : tensors) ranges.push_back(tensor.bytes);
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
    return std::pair(a.data(), a.size()) < std::pair(b.data(), b.size());
  });
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i - 1].data() + ranges[i - 1].size() > ranges[i].data())
      fail("two tensors share bytes");
  std::size_t used = 0;
  for (const auto& range : ranges) used += range.size();
  if (used != data_bytes)
    fail("expected {} bytes of tensors, found {} bytes of data", used, data_bytes);
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path) {
  with_context(path.string(), [&] {
    const std::span<const std::byte> bytes = file_.bytes();
    std::uint64_t header_bytes = 0;
    if (bytes.size() < 8) fail("expected a safetensors file, found fewer than 8 bytes");
    std::memcpy(&header_bytes, bytes.data(), 8);
    if (bytes.size() > 8 && bytes[8] != std::byte{'{'} && bytes[8] != std::byte{'['})
      fail("expected a safetensors file, such as features of ser-extract, found another kind");
    if (header_bytes > std::min<std::uint64_t>(bytes.size() - 8, kMaxHeaderBytes))
      fail("expected a safetensors file, found one cut short: its header does not fit into it");
    const Json header = parse_json({reinterpret_cast<const char*>(bytes.data()) + 8, header_bytes},
                                   "safetensors header");
    if (!header.is_object()) fail("safetensors header: expected a JSON object");
    const std::span<const std::byte> data = bytes.subspan(8 + header_bytes);
    for (const auto& [name, entry] : header.items()) {
      if (name != "__metadata__") {
        tensors_.emplace(name, read_tensor(name, entry, data));
        continue;
      }
      if (!entry.is_object()) fail("__metadata__: expected a JSON object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) fail("metadata '{}': expected a string", key);
        metadata_[key] = value.get<std::string>();
      }
    }
    check_layout(tensors_, data.size());
  });
}

const SafetensorsFile::Tensor& SafetensorsFile::tensor(const std::string& name, DType dtype,
                                                       std::size_t rank) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) fail("{}: expected a tensor '{}', found none", path_.string(), name);
  const Tensor& tensor = found->second;
  if (tensor.dtype != dtype || tensor.shape.size() != rank)
    fail("{}: tensor '{}': expected {} with {} dimensions, found {} with {}", path_.string(), name,
         dtype_name(dtype), rank, dtype_name(tensor.dtype), tensor.shape.size());
  return tensor;
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) fail("{}: expected metadata '{}', found none", path_.string(), key);
  return found->second;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorSource>& tensors) {
  Json header = Json::object();
  header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorSource& tensor : tensors) {
    // The format allows no holes between tensors, so the order must keep each one aligned.
    if (offset % dtype_bytes(tensor.dtype) != 0)
      fail("{}: tensor '{}' would not be aligned", path.string(), tensor.name);
    const std::uint64_t end =
        offset + element_count(tensor.shape, tensor.name) * dtype_bytes(tensor.dtype);
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = dump_text(header);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const std::uint64_t header_bytes = text.size();

  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(text);
  for (const TensorSource& tensor : tensors) tensor.write(file);
  file.commit();
}

}  // namespace ser
