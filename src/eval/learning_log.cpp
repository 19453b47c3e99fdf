#include "ser/eval/learning_log.h"

namespace ser {

void LearningLog::add(int fold, const EpochReport& report) {
  const std::lock_guard lock(mutex_);
  epochs_[{fold, report.member}].push_back(report);
}

std::vector<LearningCurve> LearningLog::curves() const {
  const std::lock_guard lock(mutex_);
  std::vector<LearningCurve> curves;
  for (const auto& [network, epochs] : epochs_)
    curves.push_back({network.first, network.second, epochs});
  return curves;
}

}  // namespace ser
