#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ser/core/atomic_file.h"

namespace ser {

/// Features that stay in their files, which are mapped into memory: the system reads what is looked
/// at. Of that, a process holds some hundred megabytes at most, however much there is.
class MappedFeatures {
 public:
  MappedFeatures();
  ~MappedFeatures();
  MappedFeatures(MappedFeatures&&) noexcept;
  MappedFeatures& operator=(MappedFeatures&&) noexcept;

  bool empty() const;
  void add_file(MappedFile file);
  /// values: of the next clip, in a file that was added, or will be.
  void add_clip(const float* values);
  /// The values of a clip, `bytes` of which are about to be read. Safe to call from any thread.
  const float* clip(std::size_t index, std::uint64_t bytes) const;
  /// Moves the clips and files of `other` behind these.
  void append(MappedFeatures other);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
