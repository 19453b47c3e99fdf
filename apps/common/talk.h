#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

/// What a program says on stderr beside its results: `talk::warn("{}: no speech", file)`.
namespace ser::talk {

enum class Level { kDebug, kInfo, kWarning, kError };

/// `text` without what nobody would read: quotations ('...') end after 200 bytes, lines after 16
/// kB. What a broken file holds in the place of a name may be megabytes.
std::string shortened(std::string_view text);

/// `text` with ? in the place of control characters but line ends and tabs: names may hold them.
std::string printable(std::string text);

/// Writes to stderr, `shortened`. Where that is closed or full the words are lost, and nothing
/// else.
void put(const std::string& text);

/// From here on what is below `least` is left unsaid; before, what is below kInfo.
void set_least(Level least);

/// Says a line; "warning: " or "error: " stands before those, coloured on a terminal unless
/// NO_COLOR is set.
void say(Level level, const std::string& line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, const Args&... args) {
  say(Level::kDebug, fmt::vformat(format, fmt::make_format_args(args...)));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, const Args&... args) {
  say(Level::kInfo, fmt::vformat(format, fmt::make_format_args(args...)));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, const Args&... args) {
  say(Level::kWarning, fmt::vformat(format, fmt::make_format_args(args...)));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, const Args&... args) {
  say(Level::kError, fmt::vformat(format, fmt::make_format_args(args...)));
}

/// Warns of what `AudioReader::notices` tells about the recording `name`: a line each, until three
/// recordings had the same, but for numbers.
void warn_of(const std::vector<std::string>& notices, const std::string& name);

/// Warns, a line a notice, of how many recordings `warn_of` left unsaid.
void sum_up_notices();

}  // namespace ser::talk
