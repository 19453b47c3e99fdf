#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace ser {

/// Random numbers that depend on (seed, stream) alone: the same on every machine and thread.
/// Counter-based Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011); streams are independent, so each unit of parallel work takes one of its own.
class Rng {
 public:
  Rng(std::uint64_t seed, std::uint64_t stream);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// The words that as many calls of next_u32 would return.
  void fill(std::span<std::uint32_t> words);
  /// Uniform in [0, 1), 53 random bits.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Standard normal (Box-Muller).
  double normal();
  /// Gamma with the given shape > 0 and scale 1 (Marsaglia and Tsang 2000).
  double gamma(double shape);
  /// Beta(a, b), a and b > 0.
  double beta(double a, double b);
  /// Uniform in [0, bound), bound > 0, without modulo bias.
  std::uint64_t below(std::uint64_t bound);

  /// Fisher-Yates shuffle in place.
  template <typename T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

  /// A generator for part `index` of this one's work. Does not advance this one.
  Rng fork(std::uint64_t index) const;

 private:
  std::array<std::uint32_t, 4> next_block();

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// The Philox 4x32-10 bijection: counter and key to four random words.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

}  // namespace ser
