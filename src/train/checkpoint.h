#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ser/core/safetensors.h"
#include "train/member_training.h"

namespace ser {

/// What a run is: a checkpoint of another recipe, seed or data is refused.
struct RunIdentity {
  std::string fingerprint;
  std::string settings;  ///< recipe and seed, JSON: what differs is named
};
RunIdentity run_identity(const TrainingData& data, const Recipe& recipe, const RunOptions& run);

/// Keeps the newest state of every member in one file (safetensors, written atomically), and there
/// alone: what other members left in it is copied from file to file.
class Checkpoint {
 public:
  /// Of so many members, none of which is known.
  Checkpoint(std::filesystem::path path, RunIdentity run, std::size_t members);

  /// Goes on from the file as it is. Throws Error if it is no checkpoint of the run, naming what
  /// differs.
  void read();
  /// Where member `member` stood when it was saved; nothing if it never was.
  std::optional<TrainingState> state(std::size_t member);
  /// Whether 10 s have gone by since the member was last saved.
  bool due(std::size_t member);
  /// Safe to call from any thread.
  void save(std::size_t member, const MemberTraining& training);

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<SafetensorsFile> kept() const;

  std::filesystem::path path_;
  RunIdentity run_;
  bool is_there_ = false;  ///< read or written
  std::vector<Clock::time_point> saved_;
  std::mutex mutex_;
};

}  // namespace ser
