#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ser/core/atomic_file.h"

namespace ser {

/// What a pipe may bring: as much as a WAV file holds.
inline constexpr std::uint64_t kLargestPipedBytes = std::uint64_t{1} << 32;

/// The bytes of a recording: in a file, in memory, or from a pipe, which is copied to an unnamed
/// temporary file first, so that memory stays flat.
class ByteSource {
 public:
  /// Throws Error if `path` is missing, a folder, unreadable, or neither a file nor a pipe; for a
  /// pipe also if it brings text, or more than kLargestPipedBytes, or the temporary file cannot be
  /// written.
  explicit ByteSource(const std::filesystem::path& path);
  /// What is left of an open file or pipe, which stays open. Throws Error as above.
  ByteSource(int descriptor, std::string_view name);
  explicit ByteSource(std::span<const std::byte> bytes);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  std::int64_t size() const { return size_; }
  /// Copies bytes from `offset` on to `out`; returns how many there were.
  std::int64_t read_at(std::int64_t offset, std::span<char> out) const;
  /// Up to `count` bytes from `offset` on.
  std::string text_at(std::int64_t offset, std::size_t count) const;

  /// How far decoding is, in bytes; may be asked while another thread decodes.
  std::int64_t position() const { return position_; }
  void set_position(std::int64_t position) { position_ = position; }

 private:
  void take(int descriptor, std::string_view name);
  void spool(int pipe, std::string_view name);
  void check_no_text(std::span<const std::byte> piece);

  int descriptor_ = -1;
  std::int64_t first_ = 0;  ///< offset in the file
  std::unique_ptr<SpoolFile> spooled_;
  bool all_text_ = true;  ///< what came of a pipe so far
  std::span<const std::byte> bytes_;
  std::int64_t size_ = 0;
  std::atomic<std::int64_t> position_ = 0;
};

}  // namespace ser
