#include "report/run_program.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "core/internal/fail.h"
#include "ser/core/atomic_file.h"

namespace ser::report {
namespace {

/// What a program reads or writes: a file in memory, closed on exec, so that no program started
/// meanwhile holds it.
class MemoryFile {
 public:
  MemoryFile() : number_(::memfd_create("ser", MFD_CLOEXEC)) {
    if (number_ < 0) fail("no memory for a program's files: {}", std::strerror(errno));
  }
  ~MemoryFile() { ::close(number_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int number() const { return number_; }
  void fill(std::string_view text) const {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = ::write(number_, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("no room for a program's input: {}", std::strerror(errno));
      done += static_cast<std::size_t>(count);
    }
    ::lseek(number_, 0, SEEK_SET);
  }
  std::string text() const {
    return read_file(fmt::format("/proc/self/fd/{}", number_),
                     std::numeric_limits<std::uint64_t>::max());
  }

 private:
  int number_;
};

}  // namespace

std::optional<ProgramRun> run_program(const std::vector<std::string>& words,
                                      std::string_view input) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const MemoryFile in, out, err;
  in.fill(input);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.number(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.number(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.number(), STDERR_FILENO);
  pid_t child = 0;
  const int failure =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT || failure == ENOTDIR) return std::nullopt;
  if (failure != 0) fail("{}: cannot be started: {}", words[0], std::strerror(failure));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return ProgramRun{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out.text(),
                    err.text()};
}

}  // namespace ser::report
