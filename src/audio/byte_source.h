#pragma once

#include <sndfile.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ser {

/// The bytes of a file, on disk or in memory, as libsndfile's virtual IO asks for them. Through it
/// libsndfile sees no name, so it cannot take the format from one.
class ByteSource {
 public:
  /// Throws Error if `path` is missing, a folder, unreadable, or neither a file nor a pipe.
  explicit ByteSource(const std::filesystem::path& path);
  explicit ByteSource(std::span<const std::byte> bytes);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  std::int64_t size() const { return size_; }
  /// Where reading has come to; may be asked while another thread reads.
  std::int64_t position() const { return position_; }
  /// Up to `count` bytes from the start; the position stays.
  std::string head(std::size_t count) const;
  /// Callbacks; their user data is a ByteSource.
  static SF_VIRTUAL_IO callbacks();

 private:
  std::int64_t read_at(std::int64_t offset, void* out, std::int64_t count) const;

  int descriptor_ = -1;
  std::string buffer_;
  std::span<const std::byte> bytes_;
  std::int64_t size_ = 0;
  std::atomic<std::int64_t> position_ = 0;
};

}  // namespace ser
