#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {

/// What a program said and how it ended; 128 + signal where one ended it.
struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
  long peak_kb = 0;  ///< most memory it held, as last seen before its end; with `watch_memory`
  double cpu_s = 0;  ///< time that it computed
};

struct RunOptions {
  std::filesystem::path standard_input = "/dev/null";
  std::filesystem::path standard_output;  ///< appended to; empty: captured
  std::filesystem::path standard_error;   ///< empty: captured
  std::vector<int> closed = {};           ///< standard streams that are closed
  std::optional<std::chrono::milliseconds> kill_after;
  std::filesystem::path interrupt_at;            ///< a signal as soon as this holds something
  int signal = SIGINT;                           ///< which one
  std::chrono::milliseconds interrupt_delay{0};  ///< and so long after that
  bool watch_memory = false;
};

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The most memory that a running process has held, kB; 0 if it is gone.
inline long peak_kb_of(pid_t process) {
  std::istringstream status(text_of("/proc/" + std::to_string(process) + "/status"));
  for (std::string word; status >> word;)
    if (long peak = 0; word == "VmHWM:" && status >> peak) return peak;
  return 0;
}

inline bool holds_something(const std::filesystem::path& path) {
  std::error_code none;
  return !std::filesystem::is_empty(path, none) && !none;
}

/// Runs a program by path, its standard streams redirected to files.
inline Outcome run_path(const std::filesystem::path& program, std::vector<std::string> arguments,
                        const RunOptions& options = {}) {
  const TempFolder folder;
  const std::filesystem::path out = folder / "out", err = folder / "err";
  arguments.insert(arguments.begin(), program.string());
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    const auto redirect = [](const std::filesystem::path& path, int flags, int stream) {
      const int file = ::open(path.c_str(), flags, 0600);
      if (file < 0 || ::dup2(file, stream) < 0) ::_exit(126);
    };
    redirect(options.standard_input, O_RDONLY, STDIN_FILENO);
    redirect(options.standard_output.empty() ? out : options.standard_output,
             O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
    redirect(options.standard_error.empty() ? err : options.standard_error, O_WRONLY | O_CREAT,
             STDERR_FILENO);
    for (const int stream : options.closed) ::close(stream);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  if (options.kill_after) {
    std::this_thread::sleep_for(*options.kill_after);
    ::kill(child, SIGKILL);
  }
  int status = 0;
  rusage usage{};
  bool ended = false;
  if (!options.interrupt_at.empty()) {
    while (!holds_something(options.interrupt_at) && !ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ended = ::wait4(child, &status, WNOHANG, &usage) != 0;
    }
    std::this_thread::sleep_for(options.interrupt_delay);
    if (!ended) ::kill(child, options.signal);
  }
  long peak_kb = 0;
  while (options.watch_memory && !ended) {
    peak_kb = std::max(peak_kb, peak_kb_of(child));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ended = ::wait4(child, &status, WNOHANG, &usage) != 0;
  }
  if (!ended) ::wait4(child, &status, 0, &usage);
  const double cpu_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out),
          text_of(err), peak_kb, cpu_s};
}

/// Runs one of the project's programs: run("ser-extract", {...}).
inline Outcome run(const std::string& program, std::vector<std::string> arguments,
                   const RunOptions& options = {}) {
  return run_path(program_folder() / program, std::move(arguments), options);
}

inline std::filesystem::path demo_corpus() { return source_folder() / "data" / "demo"; }

/// The folder of one actor of the demo corpus, 16 clips.
inline std::string demo_actor(int actor) {
  return (demo_corpus() / ("Actor_0" + std::to_string(actor))).string();
}

/// One clip of actor 1 of the demo corpus; emotion: 1 to 8, as in its name.
inline std::string demo_clip(int emotion) {
  return demo_actor(1) + "/03-01-0" + std::to_string(emotion) + "-01-01-01-01.flac";
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace ser
