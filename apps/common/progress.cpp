#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "talk.h"

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

StatusLine::StatusLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

StatusLine::~StatusLine() {
  if (shown_ && terminal_) talk::put("\r\033[K");
}

bool StatusLine::due(std::optional<double> first_s) const {
  const std::chrono::duration<double> since_last = Clock::now() - last_;
  const double wait_s = terminal_ ? kRedraw_s : kPlainLine_s;
  return !quiet_ && since_last.count() >= (shown_ ? wait_s : first_s.value_or(wait_s));
}

void StatusLine::show(const std::string& line) {
  shown_ = true;
  last_ = Clock::now();
  talk::put(terminal_ ? "\r\033[K" + line : line + "\n");
}

double StatusLine::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::set_total(std::size_t total) {
  const std::lock_guard lock(mutex_);
  total_ = total;
}

void Progress::advance(std::size_t units) {
  const std::lock_guard lock(mutex_);
  done_ += units;
  if (!line_.due(kQuietStart_s)) return;
  const double share = total_ ? std::min(1.0, static_cast<double>(done_) / total_) : 0;
  const double rate = static_cast<double>(done_) / line_.elapsed_s();
  const double left = rate > 0 ? static_cast<double>(total_ - std::min(done_, total_)) / rate : 0;
  const int filled = static_cast<int>(share * kBarWidth);
  const std::string bar = line_.on_terminal()
                              ? fmt::format(" [{:#<{}}{:.<{}}]", "", filled, "", kBarWidth - filled)
                              : fmt::format(": {:3.0f} % ", 100 * share);
  line_.show(fmt::format("{}{} {}/{} {}  {:.3g}/s  {} left", what_, bar, done_, total_, unit_, rate,
                         duration(left)));
}

void TrainingProgress::on_epoch(const std::string& label, const EpochReport& report) {
  const std::lock_guard lock(mutex_);
  ++epochs_done_;
  clips_done_ += report.clips;
  if (!line_.due()) return;
  const double share =
      static_cast<double>(epochs_done_) / (static_cast<double>(runs_) * report.epochs);
  std::string line = label.empty() ? "" : label + "  ";
  if (members_ > 1) line += fmt::format("network {}/{}  ", report.member + 1, members_);
  line += fmt::format("epoch {}/{}  loss {:.3f}", report.epoch, report.epochs, report.loss);
  if (report.validation_accuracy)
    line += fmt::format("  held-out loss {:.3f} accuracy {:.1f} %", *report.validation_loss,
                        100 * *report.validation_accuracy);
  const double elapsed_s = line_.elapsed_s();
  line_.show(fmt::format("{}  {:.0f} clips/s  {:.0f} s left", line,
                         static_cast<double>(clips_done_) / elapsed_s,
                         elapsed_s * (1 - share) / share));
}

}  // namespace ser
