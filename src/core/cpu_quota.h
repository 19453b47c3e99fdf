#pragma once

#include <filesystem>

namespace ser {

/// Cores' worth of time that the control groups of this process allow it; infinity where none
/// limits it. Both versions are read: `cpu.max`, and `cpu.cfs_quota_us` with its period, of the
/// group and of every group around it, as a container is seldom limited by its innermost one.
/// membership: /proc/self/cgroup; root: /sys/fs/cgroup.
double cpu_quota(const std::filesystem::path& membership = "/proc/self/cgroup",
                 const std::filesystem::path& root = "/sys/fs/cgroup");

}  // namespace ser
