#include "live_display.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace ser {
namespace {

constexpr int kWidestBar = 40;
constexpr int kBesideBar = 24;  ///< columns of name and per cent
constexpr const char* kBold = "\033[1m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kPlain = "\033[0m";

bool draws_in_place(int lines, winsize& size) {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && kind && std::string_view(kind) != "dumb" &&
         ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > lines &&
         size.ws_col > kBesideBar;
}

}  // namespace

LiveDisplay::LiveDisplay(const Model& model, int top_k)
    : model_(model), top_k_(top_k), colours_(std::getenv("NO_COLOR") == nullptr) {}

void LiveDisplay::show(const PredictedClip& window, double latency_ms) {
  const std::size_t bars = top_k_ == kUnsetInt
                               ? model_.emotions.size()
                               : std::min(model_.emotions.size(), static_cast<std::size_t>(top_k_));
  winsize size{};
  if (draws_in_place(static_cast<int>(bars) + 1, size))
    draw(window, latency_ms, bars, size.ws_col);
  else
    fmt::print("{:7.1f} s  {}{}  {:.0f} ms\n", window.span->end_s, headline(model_, window),
               heard_of_voice(window), latency_ms);
  std::fflush(stdout);
}

void LiveDisplay::draw(const PredictedClip& window, double latency_ms, std::size_t bars,
                       int columns) {
  // Unless a few are asked for, bars keep their places.
  std::vector<std::size_t> order = ranking(window.prediction.emotions, static_cast<int>(bars));
  const std::size_t first = order.front();
  if (top_k_ == kUnsetInt) std::sort(order.begin(), order.end());
  const auto styled = [&](const char* style, const std::string& text) {
    return colours_ ? style + text + kPlain : text;
  };
  const std::string title = fmt::format("{:7.1f} s  {}{}", window.span->end_s,
                                        headline(model_, window), heard_of_voice(window));
  const std::string latency = fmt::format("{:.0f} ms", latency_ms);
  const std::size_t room = static_cast<std::size_t>(columns) - latency.size() - 2;
  if (lines_drawn_ > 0) fmt::print("\033[{}A", lines_drawn_);
  fmt::print("\r{}  {}\033[K\n", styled(kBold, title.substr(0, room)), latency);
  const int widest = std::min(kWidestBar, columns - kBesideBar);
  for (const std::size_t i : order) {
    const double share = window.speech ? window.prediction.emotions(static_cast<long>(i)) : 0;
    const std::string bar(static_cast<std::size_t>(std::lround(share * widest)), '#');
    const std::string line =
        fmt::format("{:<10} {:>5.1f} %  {}", model_.emotions[i].substr(0, 10), 100 * share, bar);
    fmt::print("  {}\033[K\n", window.speech && i == first ? styled(kGreen, line) : line);
  }
  lines_drawn_ = static_cast<int>(bars) + 1;
}

}  // namespace ser
