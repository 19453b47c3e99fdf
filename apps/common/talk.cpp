#include "talk.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ser::talk {
namespace {

Level least_said = Level::kInfo;

bool colours() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb" &&
         !std::getenv("NO_COLOR");
}

/// "warning: " in yellow, "error: " in red; nothing for what is neither.
std::string prefix(Level level) {
  if (level < Level::kWarning) return "";
  const bool warning = level == Level::kWarning;
  const std::string_view text = warning ? "warning: " : "error: ";
  static const bool coloured = colours();
  return coloured ? fmt::format("\033[{}m\033[1m{}\033[m", warning ? 33 : 31, text)
                  : std::string(text);
}

}  // namespace

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void set_least(Level least) { least_said = least; }

void say(Level level, const std::string& line) {
  if (level >= least_said) put(fmt::format("{}{}\n", prefix(level), line));
}

void warn_of(const std::vector<std::string>& notices, const std::string& name) {
  for (const std::string& notice : notices) warn("{}: {}", name, notice);
}

}  // namespace ser::talk
