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
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "ser/core/error.h"

namespace ser {
namespace {

[[noreturn]] void fail_at(const std::filesystem::path& path, std::string_view action) {
  throw Error(fmt::format("{}: {} failed: {}", path.string(), action, std::strerror(errno)));
}

void write_all(int descriptor, const char* data, std::size_t size,
               const std::filesystem::path& path) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_at(path, "writing");
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

constexpr mode_t kMode = 0666;  // what the umask leaves of it, as for any new file

/// Names of the files that must go when the program ends without destructors.
class TemporaryNames {
 public:
  void add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.insert(name);
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    names_.erase(name);
  }
  void unlink_all() {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : names_) ::unlink(name.c_str());
    names_.clear();
  }

 private:
  std::mutex mutex_;
  std::set<std::string> names_;
};

TemporaryNames& temporary_names() {
  static TemporaryNames& names = *new TemporaryNames;  // outlives every other static
  return names;
}

/// A name in `folder` that no other process or thread makes; short, as a folder's longest name may
/// be that of the file it stands in for.
std::string unique_name(const std::filesystem::path& folder) {
  static std::atomic<unsigned> next = 0;
  return (folder / fmt::format(".ser-{}-{}", ::getpid(), next++)).string();
}

/// Creates a file without a name in `folder`; -1 where the file system has none.
int create_nameless(const std::filesystem::path& folder) {
  return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
}

/// Creates a file that no one else has; `name` receives its name.
int create_hidden(const std::filesystem::path& folder, std::string& name) {
  while (true) {
    name = unique_name(folder);
    temporary_names().add(name);
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    if (descriptor >= 0) return descriptor;
    temporary_names().remove(name);
    if (errno != EEXIST) {
      name.clear();
      return descriptor;
    }
  }
}

/// The number of an open stream that a path such as /dev/stdout or /dev/fd/3 stands for, or -1.
int open_stream(const std::filesystem::path& path) {
  for (const auto& [name, number] : {std::pair("/dev/stdout", 1), std::pair("/dev/stderr", 2)})
    if (path == name) return number;
  const std::string folder = path.parent_path().string(), number = path.filename().string();
  const bool digits = !number.empty() && number.size() < 6 &&
                      number.find_first_not_of("0123456789") == std::string::npos;
  return digits && (folder == "/dev/fd" || folder == "/proc/self/fd") ? std::stoi(number) : -1;
}

/// True for a device or pipe, which takes what is written and must not be replaced.
bool is_special(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), target_(followed(path_)) {
  const int stream = open_stream(path_);
  if (stream >= 0 || is_special(path_)) {
    direct_ = true;
    // A stream is shared, so that what it has taken already stays before what comes now.
    descriptor_ = stream >= 0 ? ::fcntl(stream, F_DUPFD_CLOEXEC, 0)
                              : ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail_at(path_, "opening");
    return;
  }
  const std::filesystem::path folder = folder_of(target_);
  std::error_code error;
  if (std::filesystem::is_directory(target_, error))
    throw Error(fmt::format("{}: expected a file to write, found a folder", path_.string()));
  if (!std::filesystem::is_directory(folder, error))
    throw Error(
        fmt::format("{}: expected a folder {}, found none", path_.string(), folder.string()));
  descriptor_ = create_nameless(folder);
  if (descriptor_ < 0) descriptor_ = create_hidden(folder, temporary_);
  if (descriptor_ < 0) fail_at(path_, "writing to its folder");
  struct stat before {};
  if (::stat(target_.c_str(), &before) == 0) ::fchmod(descriptor_, before.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  temporary_names().remove(temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(descriptor_, reinterpret_cast<const char*>(bytes.data()), bytes.size(), path_);
}

void AtomicFile::write(std::string_view text) {
  write_all(descriptor_, text.data(), text.size(), path_);
}

void AtomicFile::commit() {
  if (!direct_) {
    if (::fsync(descriptor_) != 0) fail_at(path_, "syncing");
    put_in_place();
  }
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_at(path_, "closing");
  if (!direct_) sync_folder(folder_of(target_));
}

void AtomicFile::put_in_place() {
  const std::string source = fmt::format("/proc/self/fd/{}", descriptor_);
  const auto link_to = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (temporary_.empty()) {
    if (link_to(target_.string())) return;
    // A link cannot replace a file, so it takes a name that is moved over it.
    const std::string name = unique_name(folder_of(target_));
    temporary_names().add(name);
    temporary_ = name;
    if (!link_to(name)) fail_at(path_, "replacing");
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail_at(path_, "replacing");
  temporary_names().remove(temporary_);
  temporary_.clear();
}

void remove_temporary_files() { temporary_names().unlink_all(); }

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_at(path, "opening");
  std::string text;
  std::vector<char> block(1 << 16);
  ssize_t got = 0;
  while (((got = ::read(descriptor, block.data(), block.size())) > 0 && text.size() <= max_bytes) ||
         (got < 0 && errno == EINTR))
    if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (got < 0) fail_at(path, "reading");
  if (text.size() > max_bytes)
    throw Error(fmt::format("{}: expected at most {} bytes, found more", path.string(), max_bytes));
  return text;
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_at(path, "opening");
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
      fail_at(path, "mapping");
    }
    data_ = static_cast<const std::byte*>(mapped);
  }
  ::close(descriptor);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::let_go() const {
  if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::filesystem::path followed(std::filesystem::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(path, error); ++i) {
    const std::filesystem::path link = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = link.is_absolute() ? link : path.parent_path() / link;
  }
  return path;
}

bool is_streamed(const std::filesystem::path& path) {
  return open_stream(path) >= 0 || is_special(path);
}

std::filesystem::path temporary_folder() {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : folder;
}

SpoolFile::SpoolFile(std::filesystem::path near) : near_(std::move(near)) {
  const std::filesystem::path folder =
      is_streamed(near_) ? temporary_folder() : folder_of(followed(near_));
  descriptor_ = create_nameless(folder);
  if (descriptor_ >= 0) return;
  std::string name;
  descriptor_ = create_hidden(folder, name);
  if (descriptor_ < 0) fail_at(near_, "writing to its folder");
  ::unlink(name.c_str());
  temporary_names().remove(name);
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
  write_all(descriptor_, buffer_.data(), buffer_.size(), near_);
  buffer_.clear();
}

std::size_t SpoolFile::read_at(std::uint64_t begin, std::span<std::byte> out) {
  if (!buffer_.empty()) flush();
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_at(near_, "reading what is to be written");
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
    if (got == 0) fail_at(near_, "reading what is to be written");
    file.write(std::span(block).first(got));
    begin += got;
  }
}

}  // namespace ser
