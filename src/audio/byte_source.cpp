#include "audio/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "audio/content.h"
#include "core/internal/fail.h"

namespace ser {

ByteSource::ByteSource(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    fail("{}: expected an audio file, found: {}", path.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    fail("{}: expected an audio file, found a {}", path.string(),
         S_ISDIR(status.st_mode) ? "folder" : "device");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    fail("{}: expected a readable file, found: {}", path.string(), std::strerror(errno));
  try {
    take(descriptor, path.string());
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

ByteSource::ByteSource(int descriptor, std::string_view name) { take(descriptor, name); }

ByteSource::ByteSource(std::span<const std::byte> bytes) : bytes_(bytes), size_(bytes.size()) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::take(int descriptor, std::string_view name) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    fail("{}: expected an audio file, found: {}", name, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return spool(descriptor, name);
  first_ = std::max<std::int64_t>(0, ::lseek(descriptor, 0, SEEK_CUR));
  size_ = std::max<std::int64_t>(0, status.st_size - first_);
  descriptor_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (descriptor_ < 0) fail("{}: expected a readable file, found: {}", name, std::strerror(errno));
}

/// Throws Error where the beginning of a pipe is text, which may have no end, and is no sound: a
/// header of text (NIST SPHERE) is shorter.
void ByteSource::check_no_text(std::span<const std::byte> piece) {
  constexpr std::uint64_t kHead = 4096;
  if (!all_text_ || spooled_->size() >= kHead) return;
  all_text_ = is_text({reinterpret_cast<const char*>(piece.data()), piece.size()});
  if (all_text_ && spooled_->size() + piece.size() >= kHead)
    throw Error(unsupported_content("text"));
}

void ByteSource::spool(int pipe, std::string_view name) {
  with_context(std::string(name), [&] {
    spooled_ = std::make_unique<SpoolFile>(temporary_folder() / "sound");
    std::vector<std::byte> block(1 << 16);
    while (true) {
      const ssize_t got = ::read(pipe, block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("reading failed: {}", std::strerror(errno));
      if (got == 0) break;
      const auto piece = std::span(block).first(got);
      check_no_text(piece);
      spooled_->append(piece);
      if (spooled_->size() > kLargestPipedBytes)
        fail(
            "expected at most {} GiB from a pipe, found more; a file may be larger, and --live - "
            "reads a stream without end",
            kLargestPipedBytes >> 30);
    }
    spooled_->read_at(0, std::span(block).first(0));  // a full disk shows here
    size_ = spooled_->size();
  });
}

std::int64_t ByteSource::read_at(std::int64_t offset, std::span<char> out) const {
  const auto count = std::clamp<std::int64_t>(size_ - offset, 0, out.size());
  out = out.first(count);
  if (spooled_) {
    try {
      return spooled_->read_at(offset, std::as_writable_bytes(out));
    } catch (const Error&) {
      return 0;  // no exception passes through libsndfile
    }
  }
  if (descriptor_ < 0) {
    std::copy_n(reinterpret_cast<const char*>(bytes_.data()) + offset, count, out.data());
    return count;
  }
  std::int64_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(descriptor_, out.data() + done, count - done, first_ + offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += got;
  }
  return done;
}

std::string ByteSource::text_at(std::int64_t offset, std::size_t count) const {
  std::string text(count, '\0');
  text.resize(std::max<std::int64_t>(0, read_at(offset, text)));
  return text;
}

}  // namespace ser
