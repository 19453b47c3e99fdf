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

/// Throws Error if the file is no checkpoint of the run, naming what differs.
std::vector<std::optional<TrainingState>> read_checkpoint(const std::filesystem::path& path,
                                                          const std::string& run,
                                                          std::size_t members);

/// Keeps the newest state of every member in one file (safetensors, written atomically).
class Checkpoint {
 public:
  /// states: what is known already, one a member.
  Checkpoint(std::filesystem::path path, std::string run,
             std::vector<std::optional<TrainingState>> states);

  /// Whether 10 s have gone by since the member was last saved.
  bool due(std::size_t member);
  /// Safe to call from any thread.
  void save(std::size_t member, TrainingState state);

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
