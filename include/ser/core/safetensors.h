#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/atomic_file.h"

namespace ser {

enum class DType { kF32, kI64 };

/// A file in the safetensors format, mapped and checked: every tensor lies inside the data, none
/// overlap, and shape, type and byte range agree. Tensors of types this project does not use are
/// refused. Read as untrusted input: no size taken from the file is allocated.
class SafetensorsFile {
 public:
  struct Tensor {
    DType dtype;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
  };

  /// Throws Error, naming the file and what is wrong with it.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Throws Error if there is no such tensor, or it is of another type or rank.
  const Tensor& tensor(const std::string& name, DType dtype, std::size_t rank) const;
  /// Throws Error if there is no such metadata entry.
  const std::string& metadata(const std::string& key) const;
  /// Lets go of the memory that tensors looked at have taken.
  void let_go() const { file_.let_go(); }
  /// The file alone, in which the bytes of its tensors stay where they are; nothing else is left.
  MappedFile take_file() && { return std::move(file_); }

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Tensor> tensors_;
};

/// A tensor to be written; `write` puts exactly its bytes into the file.
struct TensorSource {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::function<void(AtomicFile&)> write;
};

/// Writes a safetensors file atomically: metadata, then the tensors in the given order. The data
/// starts on 8 bytes and the format allows no holes, so wide types come first.
/// Throws Error if the order leaves a tensor unaligned.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorSource>& tensors);

}  // namespace ser
