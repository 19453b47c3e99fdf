#include "standard_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "command.h"

namespace ser {
namespace {

constexpr off_t kLongestLine = 1 << 16;

/// The size of the file behind stdout; -1 where there is none, or where its end is not what was
/// written last.
off_t written_size() {
  struct stat about {};
  if (::fstat(STDOUT_FILENO, &about) != 0 || !S_ISREG(about.st_mode)) return -1;
  return ::lseek(STDOUT_FILENO, 0, SEEK_CUR) == about.st_size ? about.st_size : -1;
}

off_t size_at_start = 0;

/// True for a pipe that nobody reads any more.
bool reader_has_left() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void begin_stdout() {
  // What leaves the program are whole lines, so that one that is ended leaves no half one.
  std::setvbuf(stdout, nullptr, _IOLBF, kLongestLine);
  struct stat about {};
  if (::fstat(STDOUT_FILENO, &about) != 0 || !S_ISREG(about.st_mode)) return;
  const bool appends = (::fcntl(STDOUT_FILENO, F_GETFL) & O_APPEND) != 0;
  size_at_start = appends ? about.st_size : ::lseek(STDOUT_FILENO, 0, SEEK_CUR);
}

void take_back_half_line() {
  const off_t size = written_size();
  if (size <= size_at_start) return;
  const int file = ::open("/proc/self/fd/1", O_RDONLY | O_CLOEXEC);  // stdout only writes
  if (file < 0) return;
  std::string end(static_cast<std::size_t>(std::min(size - size_at_start, kLongestLine)), '\0');
  const off_t begin = size - std::ssize(end);
  const ssize_t got = ::pread(file, end.data(), end.size(), begin);
  ::close(file);
  if (got != std::ssize(end)) return;
  const std::size_t newline = end.rfind('\n');
  if (newline == end.npos && begin > size_at_start) return;
  const off_t whole = newline == end.npos ? begin : begin + static_cast<off_t>(newline) + 1;
  [[maybe_unused]] const int cut = ::ftruncate(STDOUT_FILENO, whole);
}

void flush_stdout() {
  if (std::ferror(stdout) == 0 && std::fflush(stdout) == 0) return;
  const int reason = errno;
  take_back_half_line();
  fail("standard output: writing failed: {}", std::strerror(reason));
}

void print_then_write(const std::function<void()>& print,
                      const std::function<void()>& write_files) {
  std::exception_ptr failure;
  const auto on_broken_pipe = std::signal(SIGPIPE, SIG_IGN);
  try {
    print();
    flush_stdout();
  } catch (const std::exception&) {
    if (std::ferror(stdout) == 0) throw;
    failure = std::current_exception();
  }
  std::signal(SIGPIPE, on_broken_pipe);
  write_files();
  if (!failure) return;
  if (reader_has_left()) std::raise(SIGPIPE);
  std::rethrow_exception(failure);
}

}  // namespace ser
