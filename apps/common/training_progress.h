#pragma once

#include <chrono>
#include <mutex>

#include "ser/train/trainer.h"

namespace ser {

/// Tells how training goes on stderr: a line an epoch with loss, accuracy on held-out training
/// speakers, clips a second and time left; on a terminal one line that redraws in place. Short
/// epochs share a line.
class TrainingProgress {
 public:
  /// runs: networks trained in all (folds x members).
  TrainingProgress(int runs, bool quiet);
  ~TrainingProgress();

  /// Safe to call from any thread. label: "fold 3"; empty: none.
  void on_epoch(const std::string& label, const EpochReport& report);

 private:
  using Clock = std::chrono::steady_clock;

  int runs_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::size_t epochs_done_ = 0;
  std::size_t clips_done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  std::mutex mutex_;
};

}  // namespace ser
