#include "core/cpu_quota.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// What `time`, microseconds of a period, comes to; "max" and -1 are no limit.
double cores(const std::string& time, double period) {
  const double allowed = std::atof(time.c_str());
  return allowed > 0 && period > 0 ? allowed / period : kUnlimited;
}

/// The limit that stands in one group's folder, in either version's files.
double limit_of(const fs::path& group) {
  std::string time;
  double period = 0;
  if (std::ifstream file(group / "cpu.max"); file >> time >> period) return cores(time, period);
  std::ifstream quota(group / "cpu.cfs_quota_us"), length(group / "cpu.cfs_period_us");
  return quota >> time && length >> period ? cores(time, period) : kUnlimited;
}

/// The tightest limit on the way from `root` down to the group.
double tightest(const fs::path& root, const fs::path& group) {
  double limit = limit_of(root);
  fs::path folder = root;
  for (const fs::path& part : group.relative_path())
    limit = std::min(limit, limit_of(folder /= part));
  return limit;
}

}  // namespace

double cpu_quota(const fs::path& membership, const fs::path& root) {
  double quota = kUnlimited;
  std::ifstream file(membership);
  // "0::/group" (version 2), "4:cpu,cpuacct:/group" (version 1).
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") quota = std::min(quota, tightest(root, group));
    if (controllers.find(",cpu,") == std::string::npos) continue;
    for (const char* mount : {"cpu", "cpu,cpuacct"})
      quota = std::min(quota, tightest(root / mount, group));
  }
  return quota;
}

}  // namespace ser
