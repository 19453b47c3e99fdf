#include "interrupt.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <thread>

#include "ser/core/atomic_file.h"

namespace ser {
namespace {

std::atomic<bool> caught = false;
std::atomic<bool> caught_before = false;
std::atomic<const std::string*> last_words = nullptr;

/// stdout, once no thread is in the middle of printing; not for ever, as it may wait for a reader.
void wait_for_stdout() {
  for (int i = 0; i < 100 && ::ftrylockfile(stdout) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

/// Ends as the signal would have ended the program.
[[noreturn]] void end_by(int signal, const std::string& program) {
  wait_for_stdout();
  remove_temporary_files();
  const std::string* const words = last_words;
  if (!words || !words->empty()) {
    const std::string line = fmt::format("{}: {}\n", program, words ? *words : "interrupted");
    [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, line.data(), line.size());
  }
  std::signal(signal, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

void end_by_lost_file(int) {
  constexpr std::string_view kWord =
      "error: a file became shorter while it was read, or its disk failed\n";
  [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, kWord.data(), kWord.size());
  ::_exit(1);
}

}  // namespace

void watch_signals(const std::string& program) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGBUS, end_by_lost_file);
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaddset(&watched, signal);  // nohup is respected
  }
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  const auto watch = [watched, program] {
    while (true) {
      int signal = 0;
      if (::sigwait(&watched, &signal) != 0) continue;
      if (!caught || caught_before.exchange(true)) end_by(signal, program);
    }
  };
  try {
    std::thread(watch).detach();
  } catch (const std::system_error&) {  // no thread is to be had: signals end the program at once
    ::pthread_sigmask(SIG_UNBLOCK, &watched, nullptr);
  }
}

void catch_interrupts() { caught = true; }

bool interrupted() { return caught_before; }

void say_when_ended(const std::string& words) {
  last_words = new std::string(words);  // read by a thread that ends the program
}

}  // namespace ser
