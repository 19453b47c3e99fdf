#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "ser/train/trainer.h"

namespace ser {

/// Lines on stderr that tell how far a job is: on a terminal one that is drawn anew in place,
/// otherwise a plain one now and then; none if quiet.
class StatusLine {
 public:
  explicit StatusLine(bool quiet);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether it is time for the next one, or, after `first_s`, for the first.
  bool due(std::optional<double> first_s = {}) const;
  void show(const std::string& line);
  bool on_terminal() const { return terminal_; }
  double elapsed_s() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool quiet_, terminal_;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

/// How far a long job is, with a bar; nothing for jobs under a second. Safe to call from any
/// thread.
class Progress {
 public:
  /// what: "extracting"; unit: "clips".
  Progress(std::string what, std::string unit, std::size_t total, bool quiet)
      : what_(std::move(what)), unit_(std::move(unit)), total_(total), line_(quiet) {}

  /// For work whose size is an estimate until its end.
  void set_total(std::size_t total);
  void advance(std::size_t units);

 private:
  std::string what_, unit_;
  std::size_t total_;
  std::size_t done_ = 0;
  StatusLine line_;
  std::mutex mutex_;
};

/// How training goes: an epoch's loss, accuracy on held-out training speakers, clips a second and
/// time left. Short epochs share a line.
class TrainingProgress {
 public:
  /// trainings: one a fold; members: the networks that each makes.
  TrainingProgress(int trainings, int members, bool quiet)
      : runs_(trainings * members), members_(members), line_(quiet) {}

  /// Safe to call from any thread. label: "fold 3"; empty: none.
  void on_epoch(const std::string& label, const EpochReport& report);

 private:
  int runs_, members_;
  std::size_t epochs_done_ = 0;
  std::size_t clips_done_ = 0;
  StatusLine line_;
  std::mutex mutex_;
};

}  // namespace ser
