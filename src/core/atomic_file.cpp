#include "ser/core/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "ser/core/error.h"

namespace ser {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action) {
  throw Error(fmt::format("{}: {} failed: {}", path.string(), action, std::strerror(errno)));
}

void write_all(int descriptor, const char* data, std::size_t size,
               const std::filesystem::path& path) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "writing");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // some file systems refuse it for folders; the rename stands all the same
  ::close(descriptor);
}

/// Creates a file that no one else has, with the permissions any new file gets; `name` receives a
/// suffix. (mkstemp gives 0600, and the umask cannot be asked for without changing it.)
int create_unique(std::string& name) {
  static std::atomic<unsigned> next = 0;
  const std::string stem = name;
  while (true) {
    name = fmt::format("{}.{}-{}", stem, ::getpid(), next++);
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
}

/// True for a device or pipe, which takes what is written and must not be replaced.
bool is_special(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (is_special(path_)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(path_, "opening");
    return;
  }
  const std::filesystem::path folder = folder_of(path_);
  std::error_code error;
  if (std::filesystem::is_directory(path_, error))
    throw Error(fmt::format("{}: expected a file to write, found a folder", path_.string()));
  if (!std::filesystem::is_directory(folder, error))
    throw Error(
        fmt::format("{}: expected a folder {}, found none", path_.string(), folder.string()));
  temporary_ = (folder / ("." + path_.filename().string())).string();
  descriptor_ = create_unique(temporary_);
  if (descriptor_ < 0) fail(path_, "creating a temporary file beside it");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(descriptor_, reinterpret_cast<const char*>(bytes.data()), bytes.size(), path_);
}

void AtomicFile::write(std::string_view text) {
  write_all(descriptor_, text.data(), text.size(), path_);
}

void AtomicFile::commit() {
  if (temporary_.empty()) {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, "closing");
    return;
  }
  if (::fsync(descriptor_) != 0) fail(path_, "syncing");
  if (::close(std::exchange(descriptor_, -1)) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary_.c_str());
    errno = reason;
    fail(path_, "replacing");
  }
  sync_folder(folder_of(path_));
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "opening");
  std::string text;
  std::vector<char> block(1 << 16);
  ssize_t got = 0;
  while ((got = ::read(descriptor, block.data(), block.size())) > 0 && text.size() <= max_bytes)
    text.append(block.data(), static_cast<std::size_t>(got));
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (got < 0) fail(path, "reading");
  if (text.size() > max_bytes)
    throw Error(fmt::format("{}: expected at most {} bytes, found more", path.string(), max_bytes));
  return text;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "opening");
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw Error(fmt::format("{}: expected a regular file", path.string()));
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapped == MAP_FAILED) {
      const int reason = errno;
      ::close(descriptor);
      errno = reason;
      fail(path, "mapping");
    }
    data_ = static_cast<const std::byte*>(mapped);
  }
  ::close(descriptor);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SpoolFile::SpoolFile(const std::filesystem::path& near) {
  std::string name = (folder_of(near) / ".ser-spool").string();
  descriptor_ = create_unique(name);
  if (descriptor_ < 0) fail(near, "creating a temporary file beside it");
  ::unlink(name.c_str());
}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SpoolFile::append(std::span<const std::byte> bytes) {
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_ += bytes.size();
  if (buffer_.size() >= (1 << 20)) flush();
}

void SpoolFile::flush() {
  write_all(descriptor_, buffer_.data(), buffer_.size(), "temporary file");
  buffer_.clear();
}

std::size_t SpoolFile::read_at(std::uint64_t begin, std::span<std::byte> out) {
  if (!buffer_.empty()) flush();
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("temporary file", "reading");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void SpoolFile::copy_to(AtomicFile& file, std::uint64_t begin, std::uint64_t end) {
  std::vector<std::byte> block(1 << 20);
  while (begin < end) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), end - begin));
    const std::size_t got = read_at(begin, std::span(block).first(want));
    if (got == 0) fail("temporary file", "reading");
    file.write(std::span(block).first(got));
    begin += got;
  }
}

}  // namespace ser
