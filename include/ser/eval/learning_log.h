#pragma once

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "ser/train/trainer.h"

namespace ser {

/// The epochs of one network, in order.
struct LearningCurve {
  int fold = 0;
  int member = 0;
  std::vector<EpochReport> epochs;
};

/// Gathers what observers learn after each epoch. Safe to call from any thread; the curves do not
/// depend on the order of the calls for different networks.
class LearningLog {
 public:
  void add(int fold, const EpochReport& report);
  /// By fold, then by member.
  std::vector<LearningCurve> curves() const;

 private:
  std::map<std::pair<int, int>, std::vector<EpochReport>> epochs_;
  mutable std::mutex mutex_;
};

}  // namespace ser
