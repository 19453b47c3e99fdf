#include "report/run_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ser/core/error.h"

namespace ser::report {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close() {
    if (is_open()) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct Channel {
  Descriptor ours;
  Descriptor theirs;
};

/// Closed on exec, so that no program started meanwhile holds an end of it open. A socket, because
/// writing to a program that has ended must not raise SIGPIPE.
Channel make_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(fmt::format("no channel to a program: {}", std::strerror(errno)));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

struct Actions {
  posix_spawn_file_actions_t list;
  Actions() { ::posix_spawn_file_actions_init(&list); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&list); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

void send_some(Descriptor& to, std::string_view& input) {
  const ssize_t sent = ::send(to.number(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
  const bool ended = sent < 0 && errno != EAGAIN && errno != EINTR;
  if (ended || input.empty()) to.close();
}

void receive_some(Descriptor& from, std::string& text) {
  std::array<char, 1 << 16> buffer;
  const ssize_t received = ::read(from.number(), buffer.data(), buffer.size());
  if (received > 0) text.append(buffer.data(), static_cast<std::size_t>(received));
  if (received == 0 || (received < 0 && errno != EINTR)) from.close();
}

/// Sends and receives at the same time: a program that waits to be read reads no more itself.
void exchange(std::string_view input, Descriptor& in, Descriptor& out, Descriptor& err,
              ProgramRun& run) {
  if (input.empty()) in.close();
  while (out.is_open() || err.is_open()) {
    std::array<pollfd, 3> waiting = {
        {{in.number(), POLLOUT, 0}, {out.number(), POLLIN, 0}, {err.number(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents) send_some(in, input);
    if (waiting[1].revents) receive_some(out, run.out);
    if (waiting[2].revents) receive_some(err, run.err);
  }
}

}  // namespace

std::optional<ProgramRun> run_program(const std::vector<std::string>& words,
                                      std::string_view input) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  Channel in = make_channel(), out = make_channel(), err = make_channel();
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.list, in.theirs.number(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.list, out.theirs.number(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.list, err.theirs.number(), STDERR_FILENO);
  pid_t child = 0;
  const int failure =
      ::posix_spawnp(&child, arguments[0], &actions.list, nullptr, arguments.data(), environ);
  if (failure == ENOENT || failure == ENOTDIR) return std::nullopt;
  if (failure != 0)
    throw Error(fmt::format("{}: cannot be started: {}", words[0], std::strerror(failure)));
  in.theirs.close();
  out.theirs.close();
  err.theirs.close();
  ProgramRun run;
  exchange(input, in.ours, out.ours, err.ours, run);
  in.ours.close();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

}  // namespace ser::report
