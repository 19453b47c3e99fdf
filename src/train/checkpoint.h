#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "train/member_training.h"

namespace ser {

/// Identifies a run: a checkpoint of another recipe, seed or data is refused.
std::string run_fingerprint(const TrainingData& data, const Recipe& recipe, const RunOptions& run);

/// Keeps the newest state of every member in one file (safetensors, written atomically).
class Checkpoint {
 public:
  /// Of so many members, none of which is known.
  Checkpoint(std::filesystem::path path, std::string run, std::size_t members);

  /// Takes the states of a file. Throws Error if it is no checkpoint of the run, naming what
  /// differs.
  void read();
  /// Where member `member` stood when it was saved or read.
  const std::optional<TrainingState>& state(std::size_t member) const { return states_[member]; }
  /// Whether 10 s have gone by since the member was last saved.
  bool due(std::size_t member);
  /// Safe to call from any thread.
  void save(std::size_t member, const MemberTraining& training);

 private:
  using Clock = std::chrono::steady_clock;
  void write() const;

  std::filesystem::path path_;
  std::string run_;
  std::vector<std::optional<TrainingState>> states_;
  std::vector<Clock::time_point> saved_;
  std::mutex mutex_;
};

}  // namespace ser
