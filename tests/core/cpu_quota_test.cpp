#include "core/cpu_quota.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/temp_folder.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

class CpuQuota : public testing::Test {
 protected:
  void add(std::string_view file, const std::string& text) { folder_.add(file, text); }
  double quota(const std::string& membership) {
    return cpu_quota(folder_.add("membership", membership), folder_.path());
  }
  TempFolder folder_;
};

TEST_F(CpuQuota, IsTheTightestOfTheGroupsAround) {
  add("cpu.max", "max 100000\n");
  add("a/cpu.max", "150000 100000\n");
  add("a/b/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota("0::/a/b\n"), 1.5);
  EXPECT_EQ(quota("0::/\n"), HUGE_VAL);
}

TEST_F(CpuQuota, OfTheFirstVersionIsReadToo) {
  add("cpu/box/cpu.cfs_quota_us", "200000\n");
  add("cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("5:memory:/x\n4:cpu,cpuacct:/box\n"), 2);
  // A container sees its own group as the root, whatever the host calls it.
  add("cpu/cpu.cfs_quota_us", "50000\n");
  add("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("4:cpu,cpuacct:/docker/0123\n"), 0.5);
  add("cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(quota("4:cpu,cpuacct:/docker/0123\n"), HUGE_VAL);
}

TEST_F(CpuQuota, WithoutGroupsThereIsNone) {
  EXPECT_EQ(cpu_quota(folder_ / "gone", folder_.path()), HUGE_VAL);
  EXPECT_EQ(quota("nonsense\n0::/a\n"), HUGE_VAL);
}

}  // namespace
}  // namespace ser
