#include "talk.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>

namespace ser::talk {
namespace {

Level least_said = Level::kInfo;

/// Recordings with a notice, and what would have been said of the last.
struct Unsaid {
  std::size_t recordings = 0;
  std::string last;
};
std::map<std::string, Unsaid> unsaid_of_kind;  ///< by notice without its numbers

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

/// The first `count` bytes, or fewer, so that no letter is cut in two.
std::string_view first_bytes(std::string_view text, std::size_t count) {
  while (count > 0 && count < text.size() && (static_cast<unsigned char>(text[count]) >> 6) == 2)
    --count;
  return text.substr(0, count);
}

/// Where the quotation of `line` ends that begins at `open`, a quote; npos if it is none:
/// "model's".
std::size_t end_of_quotation(std::string_view line, std::size_t open) {
  constexpr std::string_view kBefore = " (=[:", kBehind = " ,.;:)]";
  if (open > 0 && kBefore.find(line[open - 1]) == std::string_view::npos)
    return std::string_view::npos;
  std::size_t close = open;
  do close = line.find('\'', close + 1);
  while (close != std::string_view::npos && close + 1 < line.size() &&
         kBehind.find(line[close + 1]) == std::string_view::npos);
  return close;
}

std::string shortened_line(std::string_view line) {
  constexpr std::size_t kLongestQuotation = 200, kLongestLine = 16 << 10;
  std::string text;
  while (!line.empty()) {
    const std::size_t open = line.find('\'');
    text += line.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = end_of_quotation(line, open);
    const std::size_t end = close == std::string_view::npos ? open + 1 : close;
    const std::string_view quoted = line.substr(open, end - open);
    text += quoted.size() > kLongestQuotation
                ? std::string(first_bytes(quoted, kLongestQuotation)) + "..."
                : std::string(quoted);
    if (close != std::string_view::npos) text += '\'';
    line.remove_prefix(close == std::string_view::npos ? end : end + 1);
  }
  if (text.size() <= kLongestLine) return text;
  return std::string(first_bytes(text, kLongestLine)) + "...";
}

}  // namespace

std::string shortened(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    result += shortened_line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    result += '\n';
    text.remove_prefix(end + 1);
  }
  return result;
}

std::string printable(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == 0x7f) c = '?';
  return text;
}

void put(const std::string& words) {
  const std::string text = shortened(words);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void set_least(Level least) { least_said = least; }

void say(Level level, const std::string& line) {
  if (level >= least_said) put(fmt::format("{}{}\n", prefix(level), printable(line)));
}

void warn_of(const std::vector<std::string>& notices, const std::string& name) {
  constexpr std::size_t kFew = 3;
  for (const std::string& notice : notices) {
    std::string kind = notice;
    std::erase_if(kind, [](char c) { return '0' <= c && c <= '9'; });
    Unsaid& unsaid = unsaid_of_kind[kind];
    if (unsaid.recordings++ < kFew || least_said == Level::kDebug)
      warn("{}: {}", name, notice);
    else
      unsaid.last = fmt::format("{}: {}", name, notice);
  }
}

void sum_up_notices() {
  for (const auto& [kind, unsaid] : unsaid_of_kind)
    if (!unsaid.last.empty())
      warn("{} recordings in all (-v names each), such as {}", unsaid.recordings, unsaid.last);
}

}  // namespace ser::talk
