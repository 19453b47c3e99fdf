#include "training_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace ser {
namespace {

constexpr double kTerminalLine_s = 0.1;
constexpr double kPlainLine_s = 5;

}  // namespace

TrainingProgress::TrainingProgress(int runs, bool quiet)
    : runs_(runs), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

TrainingProgress::~TrainingProgress() {
  if (drawn_ && terminal_) fmt::print(stderr, "\r\033[K");
}

void TrainingProgress::on_epoch(const std::string& label, const EpochReport& report) {
  const std::lock_guard lock(mutex_);
  ++epochs_done_;
  clips_done_ += report.clips;
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> since_last = now - last_, elapsed = now - start_;
  if (since_last.count() < (terminal_ ? kTerminalLine_s : kPlainLine_s)) return;
  last_ = now;
  drawn_ = true;
  const double share = static_cast<double>(epochs_done_) /
                       (static_cast<double>(runs_) * static_cast<double>(report.epochs));
  std::string line = label.empty() ? "" : label + "  ";
  line += fmt::format("epoch {}/{}  loss {:.3f}", report.epoch, report.epochs, report.loss);
  if (report.validation_accuracy)
    line += fmt::format("  held-out loss {:.3f} accuracy {:.1f} %", *report.validation_loss,
                        100 * *report.validation_accuracy);
  line += fmt::format("  {:.0f} clips/s  {:.0f} s left",
                      static_cast<double>(clips_done_) / elapsed.count(),
                      elapsed.count() * (1 - share) / share);
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\033[K" : "", line, terminal_ ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace ser
