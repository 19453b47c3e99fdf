#include "audio/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ser/core/atomic_file.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::uint64_t kLargestPipedBytes = std::uint64_t{1} << 30;

ByteSource& source(void* user) { return *static_cast<ByteSource*>(user); }

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw Error(
        fmt::format("{}: expected an audio file, found: {}", path.string(), std::strerror(errno)));
  if (S_ISFIFO(status.st_mode)) {
    buffer_ = read_file(path, kLargestPipedBytes);
    bytes_ = std::as_bytes(std::span(buffer_));
    size_ = static_cast<std::int64_t>(bytes_.size());
    return;
  }
  if (!S_ISREG(status.st_mode))
    throw Error(fmt::format("{}: expected an audio file, found a {}", path.string(),
                            S_ISDIR(status.st_mode) ? "folder" : "device"));
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    throw Error(fmt::format("{}: expected a readable file, found: {}", path.string(),
                            std::strerror(errno)));
  size_ = status.st_size;
}

ByteSource::ByteSource(std::span<const std::byte> bytes)
    : bytes_(bytes), size_(static_cast<std::int64_t>(bytes.size())) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t ByteSource::read_at(std::int64_t offset, void* out, std::int64_t count) const {
  count = std::clamp<std::int64_t>(size_ - offset, 0, count);
  if (descriptor_ < 0) {
    std::copy_n(bytes_.data() + offset, count, static_cast<std::byte*>(out));
    return count;
  }
  std::int64_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(out) + done,
                                static_cast<std::size_t>(count - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += got;
  }
  return done;
}

std::string ByteSource::head(std::size_t count) const {
  std::string text(count, '\0');
  text.resize(static_cast<std::size_t>(read_at(0, text.data(), static_cast<std::int64_t>(count))));
  return text;
}

SF_VIRTUAL_IO ByteSource::callbacks() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) -> sf_count_t { return source(user).size_; };
  io.tell = [](void* user) -> sf_count_t { return source(user).position_.load(); };
  io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
    ByteSource& self = source(user);
    const std::int64_t base = whence == SEEK_SET   ? 0
                              : whence == SEEK_CUR ? self.position_.load()
                                                   : self.size_;
    // A lying header asks for places outside the file.
    std::int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
    self.position_ = std::min(target, self.size_);
    return self.position_;
  };
  io.read = [](void* out, sf_count_t count, void* user) -> sf_count_t {
    ByteSource& self = source(user);
    const std::int64_t got = self.read_at(self.position_, out, count);
    self.position_ += got;
    return got;
  };
  io.write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; };
  return io;
}

}  // namespace ser
