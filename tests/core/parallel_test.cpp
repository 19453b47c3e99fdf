#include "ser/core/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"

namespace ser {
namespace {

class Threads : public testing::TestWithParam<int> {
 protected:
  MoreThreadsThanCores more_{7};
};
INSTANTIATE_TEST_SUITE_P(Counts, Threads, testing::Values(0, 1, 2, 7));

TEST_P(Threads, EachUnitRunsOnce) {
  std::vector<std::atomic<int>> runs(1000);
  parallel_for(runs.size(), GetParam(), [&](std::size_t i) { ++runs[i]; });
  for (const auto& count : runs) EXPECT_EQ(count, 1);
  parallel_for(0, GetParam(), [](std::size_t) { FAIL(); });
}

TEST_P(Threads, TheExceptionOfTheLowestUnitIsThrown) {
  for (int round = 0; round < 20; ++round)
    EXPECT_ERROR(parallel_for(100, GetParam(),
                              [](std::size_t i) {
                                if (i % 10 == 3) throw Error("unit " + std::to_string(i));
                              }),
                 "unit 3");
}

TEST_P(Threads, LoopsMayBeNested) {
  std::vector<std::vector<int>> sums(8, std::vector<int>(50));
  parallel_for(8, GetParam(), [&](std::size_t i) {
    parallel_for(50, GetParam(), [&](std::size_t j) { sums[i][j] = static_cast<int>(i * j); });
  });
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(std::accumulate(sums[i].begin(), sums[i].end(), 0), static_cast<int>(i) * 1225);
}

TEST_P(Threads, AWaitingLoopRunsNoOtherUnitOfTheOuterOne) {
  std::atomic<bool> entered_twice = false;
  parallel_for(40, GetParam(), [&](std::size_t) {
    thread_local int depth = 0;
    if (++depth > 1) entered_twice = true;
    parallel_for(20, GetParam(), [](std::size_t) { std::this_thread::yield(); });
    --depth;
  });
  EXPECT_FALSE(entered_twice);
}

TEST_P(Threads, PipelineConsumesInOrder) {
  std::vector<std::size_t> slots(pipeline_slots(GetParam())), order;
  parallel_pipeline(
      500, GetParam(), [&](std::size_t i, std::size_t slot) { slots[slot] = i; },
      [&](std::size_t i, std::size_t slot) {
        EXPECT_EQ(slots[slot], i);
        order.push_back(i);
      });
  ASSERT_EQ(order.size(), 500u);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

TEST_P(Threads, PipelineKeepsABoundedNumberOfUnits) {
  std::atomic<std::size_t> produced = 0, most = 0;
  std::size_t consumed = 0;
  parallel_pipeline(
      200, GetParam(), [&](std::size_t, std::size_t) { ++produced; },
      [&](std::size_t, std::size_t) { most = std::max<std::size_t>(most, produced - consumed++); });
  EXPECT_LE(most, pipeline_slots(GetParam()));
}

TEST_P(Threads, PipelineThrowsTheFirstExceptionAndStops) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::size_t> consumed;
    EXPECT_ERROR(parallel_pipeline(
                     100000, GetParam(),
                     [](std::size_t i, std::size_t) {
                       if (i >= 13) throw Error("unit " + std::to_string(i));
                     },
                     [&](std::size_t i, std::size_t) { consumed.push_back(i); }),
                 "unit 13");
    EXPECT_EQ(consumed.size(), 13u);
  }
}

TEST_P(Threads, PipelineThrowsWhatConsumeThrows) {
  EXPECT_ERROR(parallel_pipeline(
                   100, GetParam(), [](std::size_t, std::size_t) {},
                   [](std::size_t i, std::size_t) {
                     if (i == 5) throw Error("consume 5");
                   }),
               "consume 5");
}

TEST_P(Threads, PipelineTakesUnitsInOrderUntilThereAreNone) {
  std::vector<int> slots(pipeline_slots(GetParam())), results;
  int left = 50;
  parallel_pipeline(
      GetParam(),
      [&](std::size_t i, std::size_t slot) {
        slots[slot] = static_cast<int>(i);
        return left-- > 0;
      },
      [&](std::size_t, std::size_t slot) { slots[slot] *= 2; },
      [&](std::size_t, std::size_t slot) { results.push_back(slots[slot]); });
  ASSERT_EQ(results.size(), 50u);
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], static_cast<int>(2 * i));
}

TEST_P(Threads, PipelineThrowsWhatTakeThrowsAfterTheUnitsBefore) {
  std::vector<std::size_t> consumed;
  EXPECT_ERROR(parallel_pipeline(
                   GetParam(),
                   [](std::size_t i, std::size_t) {
                     if (i == 7) throw Error("take 7");
                     return true;
                   },
                   [](std::size_t, std::size_t) {},
                   [&](std::size_t i, std::size_t) { consumed.push_back(i); }),
               "take 7");
  EXPECT_EQ(consumed.size(), 7u);
}

TEST_P(Threads, PipelineUnitsMayRunLoops) {
  std::vector<int> sums(pipeline_slots(GetParam()));
  std::vector<int> results;
  parallel_pipeline(
      30, GetParam(),
      [&](std::size_t i, std::size_t slot) {
        std::vector<int> parts(10);
        parallel_for(10, GetParam(), [&](std::size_t j) { parts[j] = static_cast<int>(i); });
        sums[slot] = std::accumulate(parts.begin(), parts.end(), 0);
      },
      [&](std::size_t, std::size_t slot) { results.push_back(sums[slot]); });
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], static_cast<int>(10 * i));
}

TEST(MoreThreadsThanCores, RunsThatMany) {
  const MoreThreadsThanCores more(7);
  std::atomic<int> inside = 0;
  std::atomic<bool> all = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  parallel_for(7, 7, [&](std::size_t) {  // none leaves before all are in
    if (++inside == 7) all = true;
    while (!all && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  EXPECT_TRUE(all);
}

TEST(AvailableThreads, IsPositive) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace ser
