#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace ser {

/// How far a long job is, on stderr: on a terminal a bar that redraws in place, otherwise a plain
/// line now and then; nothing for jobs under a second, nor if quiet. Safe to call from any thread.
class Progress {
 public:
  /// what: "extracting"; unit: "clips".
  Progress(std::string what, std::string unit, std::size_t total, bool quiet);
  ~Progress();

  /// For work whose size is an estimate until its end.
  void set_total(std::size_t total);

  /// `note` is shown beside the bar: "loss 1.234".
  void advance(std::size_t units, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const std::string& note);

  std::string what_, unit_;
  std::size_t total_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::size_t done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  std::mutex mutex_;
};

}  // namespace ser
