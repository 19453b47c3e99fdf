#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace ser {

/// A file that appears whole or not at all: bytes go to a file without a name in the folder of
/// `path`; `commit()` syncs it and puts it in the place of `path`. Destroyed without a commit, or
/// killed, it leaves what was there before, and nothing beside it. (Where a file system has no
/// files without a name, a hidden one stands in.) A link is written through: what it names is
/// replaced, and keeps its permissions. A device or pipe ("/dev/null"), and what the program was
/// started with ("/dev/stdout"), is written to directly; "-" is not special. Every member throws
/// Error, naming the file and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  void put_in_place();

  std::filesystem::path path_;    ///< as given, for messages
  std::filesystem::path target_;  ///< what is replaced: `path_`, or what that links to
  std::string temporary_;         ///< its name, once it has one
  int descriptor_ = -1;
  bool direct_ = false;  ///< a device, a pipe or an open stream: nothing is replaced
};

/// Removes the hidden files of AtomicFiles that are not committed: for a program that is about to
/// end without their destructors.
void remove_temporary_files();

/// Writes `text` to `path` atomically.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The whole file. Throws Error if it cannot be read or is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// A file mapped read-only into memory. Throws Error if it cannot be opened.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Lets go of the memory that what was looked at has taken; looked at again, it is read again.
  /// Safe to call while other threads look.
  void let_go() const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a chain of links leads to, there or not; a path that is no link as it is.
std::filesystem::path followed(std::filesystem::path path);

/// True for a device, a pipe or an open stream (/dev/stdout), which takes what is written and is
/// never replaced or removed.
bool is_streamed(const std::filesystem::path& path);

/// $TMPDIR where that is a folder, else /tmp.
std::filesystem::path temporary_folder();

/// An unnamed temporary file for rows whose number is not known yet. Gone when destroyed.
class SpoolFile {
 public:
  /// near: a path in the folder whose disk is used, or that of `temporary_folder` where the path is
  /// streamed to; messages name it.
  explicit SpoolFile(std::filesystem::path near);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  void append(std::span<const std::byte> bytes);
  std::uint64_t size() const { return size_; }
  /// Copies bytes from `begin` on to `out`; returns how many there were. What was appended since
  /// the last call is written first, so appending and reading need one thread.
  std::size_t read_at(std::uint64_t begin, std::span<std::byte> out);
  /// Copies bytes [begin, end) to `file`.
  void copy_to(AtomicFile& file, std::uint64_t begin, std::uint64_t end);

 private:
  void flush();
  std::filesystem::path near_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::string buffer_;
};

}  // namespace ser
