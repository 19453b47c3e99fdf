#include "ser/core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace ser {
namespace {

constexpr int kDraws = 200000;

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const std::function<double()>& draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

/// Five standard errors of a mean over kDraws.
double tolerance(double variance) { return 5 * std::sqrt(variance / kDraws); }

using Words = std::array<std::uint32_t, 4>;

// Known answers of the Random123 library, "philox 4x32 10".
TEST(Philox, GivesTheKnownAnswers) {
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Rng, StartsWithThePhiloxBlock) {
  Rng rng(0, 0);
  EXPECT_EQ(rng.next_u32(), 0x6627e8d5u);
  EXPECT_EQ(rng.next_u32(), 0xe169c58du);
  EXPECT_EQ(rng.next_u64(), 0xbc57ac4c9b00dbd8u);
}

TEST(Rng, FillGivesTheWordsOfAsManyCalls) {
  for (const std::size_t before : {0, 1, 3, 4})
    for (const std::size_t count : {0, 1, 4, 7, 130}) {
      SCOPED_TRACE(testing::Message() << before << " words, then " << count);
      Rng filling(1, 2), calling(1, 2);
      for (std::size_t i = 0; i < before; ++i) EXPECT_EQ(filling.next_u32(), calling.next_u32());
      std::vector<std::uint32_t> words(count);
      filling.fill(words);
      for (const std::uint32_t word : words) EXPECT_EQ(word, calling.next_u32());
      EXPECT_EQ(filling.next_u32(), calling.next_u32());
    }
}

TEST(Rng, DependsOnSeedAndStreamAlone) {
  Rng a(1, 2), same(1, 2), other_seed(3, 2), other_stream(1, 3);
  const std::uint64_t first = a.next_u64();
  EXPECT_EQ(same.next_u64(), first);
  EXPECT_NE(other_seed.next_u64(), first);
  EXPECT_NE(other_stream.next_u64(), first);
}

TEST(Rng, ForksDifferAndDoNotAdvance) {
  Rng rng(1, 2), untouched(1, 2);
  Rng fork = rng.fork(0), other = rng.fork(1), again = rng.fork(0);
  const std::uint64_t first = fork.next_u64();
  EXPECT_EQ(again.next_u64(), first);
  EXPECT_NE(other.next_u64(), first);
  EXPECT_EQ(rng.next_u64(), untouched.next_u64());
}

TEST(Rng, UniformHasItsMoments) {
  Rng rng(1, 0);
  const auto [mean, variance] = moments([&] { return rng.uniform(); });
  EXPECT_NEAR(mean, 0.5, tolerance(1.0 / 12));
  EXPECT_NEAR(variance, 1.0 / 12, 1e-3);
  for (int i = 0; i < 1000; ++i) {
    const double x = rng.uniform(-3, -2);
    EXPECT_GE(x, -3);
    EXPECT_LT(x, -2);
  }
}

TEST(Rng, NormalHasItsMoments) {
  Rng rng(2, 0);
  int beyond_two = 0;
  const auto [mean, variance] = moments([&] {
    const double x = rng.normal();
    beyond_two += std::abs(x) > 2;
    return x;
  });
  EXPECT_NEAR(mean, 0, tolerance(1));
  EXPECT_NEAR(variance, 1, 0.02);
  EXPECT_NEAR(beyond_two, 0.0455 * kDraws, 500);
}

TEST(Rng, GammaHasItsMoments) {
  for (const double shape : {0.2, 1.0, 4.5}) {
    Rng rng(3, 0);
    const auto [mean, variance] = moments([&] { return rng.gamma(shape); });
    EXPECT_NEAR(mean, shape, tolerance(shape)) << shape;
    EXPECT_NEAR(variance, shape, 0.05 * shape) << shape;
  }
}

TEST(Rng, BetaHasItsMoments) {
  const double a = 0.4, b = 2;
  Rng rng(4, 0);
  const auto [mean, variance] = moments([&] { return rng.beta(a, b); });
  const double expected = a * b / ((a + b) * (a + b) * (a + b + 1));
  EXPECT_NEAR(mean, a / (a + b), tolerance(expected));
  EXPECT_NEAR(variance, expected, 0.02 * expected);
}

TEST(Rng, BelowIsUnbiased) {
  constexpr std::uint64_t kBound = 7;
  Rng rng(5, 0);
  std::array<int, kBound> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(kBound)];
  double chi_squared = 0;
  const double expected = double(kDraws) / kBound;
  for (const int count : counts) chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 22.5);  // 99.9 % of the distribution with six degrees of freedom
}

TEST(Rng, BelowAHugeBoundIsUnbiased) {
  // Modulo alone would put two thirds of the draws into the lower half.
  constexpr std::uint64_t kBound = 3ull << 62;
  Rng rng(6, 0);
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += rng.below(kBound) < kBound / 2;
  EXPECT_NEAR(low, kDraws / 2, 5 * std::sqrt(kDraws / 4.0));
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, ShufflePermutesEvenly) {
  std::array<std::array<int, 4>, 4> counts{};  // item, place
  Rng rng(7, 0);
  for (int i = 0; i < kDraws; ++i) {
    std::array<int, 4> items = {0, 1, 2, 3};
    rng.shuffle(std::span<int>(items));
    for (std::size_t place = 0; place < 4; ++place)
      ++counts[static_cast<std::size_t>(items[place])][place];
  }
  for (const auto& places : counts)
    for (const int count : places) EXPECT_NEAR(count, kDraws / 4, 5 * std::sqrt(kDraws * 3 / 16.0));
}

}  // namespace
}  // namespace ser
