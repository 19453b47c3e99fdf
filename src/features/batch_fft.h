#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

namespace ser {

/// Real discrete Fourier transform of kLanes signals at once, one in each SIMD lane, so that no
/// signal's rounding reaches another. A signal of N samples is taken as N/2 complex numbers;
/// radix-4 decimation in frequency, in place; the spectrum of the real signal is separated last.
/// Immutable: one plan serves any number of threads.
template <typename Number>
class BasicBatchFft {
 public:
  using Real = Number;
  static constexpr int kLanes = 64 / sizeof(Real);

  /// Throws Error if `size` is not a power of two in [16, 65536].
  explicit BasicBatchFft(int size);

  int size() const { return size_; }
  int num_bins() const { return size_ / 2 + 1; }
  /// Numbers of work space that `transform` needs.
  Eigen::Index scratch_size() const { return Eigen::Index{size_} * kLanes; }
  /// Numbers of a spectrum: for each bin, the lanes' real parts, then their imaginary parts.
  Eigen::Index spectrum_size() const { return Eigen::Index{num_bins()} * 2 * kLanes; }

  /// rows[n] + offset: sample n of all lanes (kLanes floats). weights[n] multiplies sample n.
  /// spectrum: [bins][real, imaginary][kLanes] of sum_n x[n] exp(-2 pi i k n / size).
  void transform(std::span<const float* const> rows, Eigen::Index offset,
                 std::span<const Real> weights, Real* scratch, Real* spectrum) const;
  /// Of the same spectrum the squared magnitudes alone, [bins][kLanes].
  void power(std::span<const float* const> rows, Eigen::Index offset, std::span<const Real> weights,
             Real* scratch, float* power) const;
  /// Of the same spectrum the real parts of the first `count` bins, [count][kLanes].
  void real_parts(std::span<const float* const> rows, Eigen::Index offset,
                  std::span<const Real> weights, Real* scratch, int count, float* real) const;

 private:
  static constexpr int kComplex = 2 * kLanes;  ///< numbers of one complex number over all lanes
  struct Stage {
    int block;                   ///< complex numbers a butterfly group spans
    std::vector<Real> twiddles;  ///< w^j, w^2j, w^3j for j < block/4, w = exp(-2 pi i / block)
  };

  void load_first_stage(std::span<const float* const> rows, Eigen::Index offset,
                        std::span<const Real> weights, Real* z) const;
  void run_stages(std::size_t stage, Real* z, int block) const;
  void run(std::span<const float* const> rows, Eigen::Index offset, std::span<const Real> weights,
           Real* z) const;
  template <typename Store>
  void separate(const Real* z, int end, Store store) const;

  int size_;
  std::vector<Stage> stages_;
  std::vector<int> order_;        ///< where number k of the complex spectrum ends up
  std::vector<Real> separation_;  ///< exp(-2 pi i k / size), k <= size/4
};

using BatchFft = BasicBatchFft<double>;

}  // namespace ser
