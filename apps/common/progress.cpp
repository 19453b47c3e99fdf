#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ser {
namespace {

constexpr int kBarWidth = 28;
constexpr double kQuietStart_s = 1;
constexpr double kRedraw_s = 0.1;
constexpr double kPlainLine_s = 5;

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{}:{:02} min", static_cast<int>(seconds) / 60,
                     static_cast<int>(seconds) % 60);
}

}  // namespace

Progress::Progress(std::string what, std::string unit, std::size_t total, bool quiet)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_ && terminal_) fmt::print(stderr, "\r\033[K");
}

void Progress::set_total(std::size_t total) {
  const std::lock_guard lock(mutex_);
  total_ = total;
}

void Progress::advance(std::size_t units, const std::string& note) {
  const std::lock_guard lock(mutex_);
  done_ += units;
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> since_start = now - start_, since_last = now - last_;
  if (since_start.count() < kQuietStart_s) return;
  if (drawn_ && since_last.count() < (terminal_ ? kRedraw_s : kPlainLine_s)) return;
  last_ = now;
  draw(note);
}

void Progress::draw(const std::string& note) {
  drawn_ = true;
  const std::chrono::duration<double> elapsed = last_ - start_;
  const double share =
      total_ ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 0;
  const double rate = static_cast<double>(done_) / elapsed.count();
  const double left = rate > 0 ? static_cast<double>(total_ - std::min(done_, total_)) / rate : 0;
  const std::string figures = fmt::format("{}/{} {}  {:.3g}/s  {} left{}{}", done_, total_, unit_,
                                          rate, duration(left), note.empty() ? "" : "  ", note);
  if (terminal_) {
    const int filled = static_cast<int>(share * kBarWidth);
    fmt::print(stderr, "\r\033[K{} [{:#<{}}{:.<{}}] {}", what_, "", filled, "", kBarWidth - filled,
               figures);
    std::fflush(stderr);
  } else {
    fmt::print(stderr, "{}: {:3.0f} %  {}\n", what_, 100 * share, figures);
  }
}

}  // namespace ser
