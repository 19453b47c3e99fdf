#include "features/batch_fft.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "core/internal/fail.h"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wunknown-pragmas"  // GCC's ivdep
#endif

namespace ser {
namespace {

template <typename Real>
constexpr int kLanesOf = BasicBatchFft<Real>::kLanes;
template <typename Real>
constexpr int kComplex = 2 * kLanesOf<Real>;  // numbers of one complex number over all lanes
constexpr int kCachedBlock = 256;             // complex numbers that stay in the first-level cache

template <typename Real>
void push_unit(std::vector<Real>& out, double turns) {
  out.push_back(static_cast<Real>(std::cos(2 * std::numbers::pi * turns)));
  out.push_back(static_cast<Real>(-std::sin(2 * std::numbers::pi * turns)));
}

/// Radix-4 butterfly of lane l, decimation in frequency; w holds w^j, w^2j, w^3j.
template <typename Real>
inline void twiddled_butterfly(Real ar, Real ai, Real br, Real bi, Real cr, Real ci, Real dr,
                               Real di, const Real* w, Real* z0, Real* z1, Real* z2, Real* z3,
                               int l) {
  const Real sum_ac_r = ar + cr, sum_ac_i = ai + ci, dif_ac_r = ar - cr, dif_ac_i = ai - ci;
  const Real sum_bd_r = br + dr, sum_bd_i = bi + di, dif_bd_r = br - dr, dif_bd_i = bi - di;
  const Real y1r = dif_ac_r + dif_bd_i, y1i = dif_ac_i - dif_bd_r;
  const Real y2r = sum_ac_r - sum_bd_r, y2i = sum_ac_i - sum_bd_i;
  const Real y3r = dif_ac_r - dif_bd_i, y3i = dif_ac_i + dif_bd_r;
  z0[l] = sum_ac_r + sum_bd_r;
  z0[l + kLanesOf<Real>] = sum_ac_i + sum_bd_i;
  z1[l] = y1r * w[0] - y1i * w[1];
  z1[l + kLanesOf<Real>] = y1r * w[1] + y1i * w[0];
  z2[l] = y2r * w[2] - y2i * w[3];
  z2[l + kLanesOf<Real>] = y2r * w[3] + y2i * w[2];
  z3[l] = y3r * w[4] - y3i * w[5];
  z3[l + kLanesOf<Real>] = y3r * w[5] + y3i * w[4];
}

/// One radix-4 pass over a block of complex numbers, in place.
template <typename Real>
void pass4(Real* z, int block, const Real* twiddles) {
  const Eigen::Index quarter = Eigen::Index{block / 4} * kComplex<Real>;
  for (int j = 0; j < block / 4; ++j) {
    Real* z0 = z + Eigen::Index{j} * kComplex<Real>;
    Real *z1 = z0 + quarter, *z2 = z1 + quarter, *z3 = z2 + quarter;
    const Real* w = twiddles + 6 * j;
#pragma GCC ivdep
    for (int l = 0; l < kLanesOf<Real>; ++l)
      twiddled_butterfly(z0[l], z0[l + kLanesOf<Real>], z1[l], z1[l + kLanesOf<Real>], z2[l],
                         z2[l + kLanesOf<Real>], z3[l], z3[l + kLanesOf<Real>], w, z0, z1, z2, z3,
                         l);
  }
}

/// The last pass: blocks of four numbers, whose twiddles are all 1.
template <typename Real>
void pass4_last(Real* z, int count) {
  for (int j = 0; j < count; j += 4) {
    Real* z0 = z + Eigen::Index{j} * kComplex<Real>;
    Real *z1 = z0 + kComplex<Real>, *z2 = z1 + kComplex<Real>, *z3 = z2 + kComplex<Real>;
#pragma GCC ivdep
    for (int l = 0; l < kLanesOf<Real>; ++l) {
      const int i = l + kLanesOf<Real>;
      const Real sum_ac_r = z0[l] + z2[l], sum_ac_i = z0[i] + z2[i];
      const Real dif_ac_r = z0[l] - z2[l], dif_ac_i = z0[i] - z2[i];
      const Real sum_bd_r = z1[l] + z3[l], sum_bd_i = z1[i] + z3[i];
      const Real dif_bd_r = z1[l] - z3[l], dif_bd_i = z1[i] - z3[i];
      z0[l] = sum_ac_r + sum_bd_r;
      z0[i] = sum_ac_i + sum_bd_i;
      z1[l] = dif_ac_r + dif_bd_i;
      z1[i] = dif_ac_i - dif_bd_r;
      z2[l] = sum_ac_r - sum_bd_r;
      z2[i] = sum_ac_i - sum_bd_i;
      z3[l] = dif_ac_r - dif_bd_i;
      z3[i] = dif_ac_i + dif_bd_r;
    }
  }
}

/// The last pass where a factor 2 is left over.
template <typename Real>
void pass2_last(Real* z, int count) {
  for (int j = 0; j < count; j += 2) {
    Real* z0 = z + Eigen::Index{j} * kComplex<Real>;
    Real* z1 = z0 + kComplex<Real>;
#pragma GCC ivdep
    for (int l = 0; l < kComplex<Real>; ++l) {
      const Real a = z0[l], b = z1[l];
      z0[l] = a + b;
      z1[l] = a - b;
    }
  }
}

/// Where number k stands after all in-place passes over `block` numbers.
int reversed_position(int k, int block) {
  if (block == 1) return 0;
  const int radix = block >= 4 ? 4 : 2;
  return k % radix * (block / radix) + reversed_position(k / radix, block / radix);
}

}  // namespace

template <typename Real>
BasicBatchFft<Real>::BasicBatchFft(int size) : size_(size) {
  if (size < 16 || size > 65536 || !std::has_single_bit(static_cast<unsigned>(size)))
    fail("fft_size: expected a power of two from 16 to 65536, found {}", size);
  const int half = size / 2;
  for (int block = half; block > 4; block /= 4) {
    Stage stage{block, {}};
    for (int j = 0; j < block / 4; ++j)
      for (int power = 1; power <= 3; ++power)
        push_unit(stage.twiddles, static_cast<double>(j) * power / block);
    stages_.push_back(std::move(stage));
  }
  for (int k = 0; k < half; ++k) order_.push_back(reversed_position(k, half));
  for (int k = 0; k <= half / 2; ++k) push_unit(separation_, static_cast<double>(k) / size);
}

template <typename Real>
void BasicBatchFft<Real>::load_first_stage(std::span<const float* const> rows, Eigen::Index offset,
                                           std::span<const Real> weights, Real* z) const {
  const int half = size_ / 2;
  const Eigen::Index quarter = Eigen::Index{half / 4} * kComplex;
  for (int j = 0; j < half / 4; ++j) {
    const float *ar, *ai, *br, *bi, *cr, *ci, *dr, *di;
    const Real *wa, *wb, *wc, *wd;
    const auto take = [&](int m, const float*& real, const float*& imag, const Real*& weight) {
      real = rows[2 * m] + offset;
      imag = rows[2 * m + 1] + offset;
      weight = &weights[2 * m];
    };
    take(j, ar, ai, wa);
    take(j + half / 4, br, bi, wb);
    take(j + half / 2, cr, ci, wc);
    take(j + half / 4 * 3, dr, di, wd);
    Real* z0 = z + Eigen::Index{j} * kComplex;
    Real *z1 = z0 + quarter, *z2 = z1 + quarter, *z3 = z2 + quarter;
    const Real* w = &stages_[0].twiddles[6 * j];
#pragma GCC ivdep
    for (int l = 0; l < kLanes; ++l)
      twiddled_butterfly(Real(ar[l]) * wa[0], Real(ai[l]) * wa[1], Real(br[l]) * wb[0],
                         Real(bi[l]) * wb[1], Real(cr[l]) * wc[0], Real(ci[l]) * wc[1],
                         Real(dr[l]) * wd[0], Real(di[l]) * wd[1], w, z0, z1, z2, z3, l);
  }
}

// Depth first: a block is finished while it is in the first-level cache.
template <typename Real>
void BasicBatchFft<Real>::run_stages(std::size_t stage, Real* z, int block) const {
  if (block > kCachedBlock) {
    pass4(z, block, stages_[stage].twiddles.data());
    for (int part = 0; part < 4; ++part)
      run_stages(stage + 1, z + Eigen::Index{part} * (block / 4) * kComplex, block / 4);
    return;
  }
  int span = block;
  for (; span > 4; span /= 4, ++stage)
    for (int begin = 0; begin < block; begin += span)
      pass4(z + Eigen::Index{begin} * kComplex, span, stages_[stage].twiddles.data());
  if (span == 4) pass4_last(z, block);
  if (span == 2) pass2_last(z, block);
}

// With Z the spectrum of x[2m] + i x[2m+1]: E = (Z[k] + conj Z[M-k]) / 2, O = (Z[k] - conj Z[M-k])
// / 2, X[k] = E - i W^k O, X[M-k] = conj(E + i W^k O), W = exp(-2 pi i / N).
/// Calls store(k, lane, real, imaginary) for the bins k < end and their mirrors M - k.
template <typename Real>
template <typename Store>
void BasicBatchFft<Real>::separate(const Real* z, int end, Store store) const {
  const int half = size_ / 2;
  for (int k = 0; k < end; ++k) {
    const int mirrored = half - k;
    const Real* a = z + Eigen::Index{order_[k]} * kComplex;
    const Real* b = z + Eigen::Index{order_[mirrored % half]} * kComplex;
    const Real wr = separation_[2 * k], wi = separation_[2 * k + 1];
#pragma GCC ivdep
    for (int l = 0; l < kLanes; ++l) {
      const int i = l + kLanes;
      const Real er = Real(0.5) * (a[l] + b[l]), ei = Real(0.5) * (a[i] - b[i]);
      const Real odd_r = Real(0.5) * (a[l] - b[l]), odd_i = Real(0.5) * (a[i] + b[i]);
      const Real tr = wr * odd_r - wi * odd_i, ti = wr * odd_i + wi * odd_r;
      store(k, l, er + ti, ei - tr);
      store(mirrored, l, er - ti, -ei - tr);
    }
  }
}

/// Everything but the separation.
template <typename Real>
void BasicBatchFft<Real>::run(std::span<const float* const> rows, Eigen::Index offset,
                              std::span<const Real> weights, Real* z) const {
  const int quarter = size_ / 8;
  load_first_stage(rows, offset, weights, z);
  for (int part = 0; part < 4; ++part)
    run_stages(1, z + Eigen::Index{part} * quarter * kComplex, quarter);
}

template <typename Real>
void BasicBatchFft<Real>::transform(std::span<const float* const> rows, Eigen::Index offset,
                                    std::span<const Real> weights, Real* scratch,
                                    Real* spectrum) const {
  run(rows, offset, weights, scratch);
  separate(scratch, size_ / 4 + 1, [spectrum](int k, int l, Real real, Real imaginary) {
    Real* out = spectrum + Eigen::Index{k} * kComplex + l;
    out[0] = real;
    out[kLanes] = imaginary;
  });
}

template <typename Real>
void BasicBatchFft<Real>::power(std::span<const float* const> rows, Eigen::Index offset,
                                std::span<const Real> weights, Real* scratch, float* power) const {
  run(rows, offset, weights, scratch);
  separate(scratch, size_ / 4 + 1, [power](int k, int l, Real real, Real imaginary) {
    power[Eigen::Index{k} * kLanes + l] = static_cast<float>(real * real + imaginary * imaginary);
  });
}

template <typename Real>
void BasicBatchFft<Real>::real_parts(std::span<const float* const> rows, Eigen::Index offset,
                                     std::span<const Real> weights, Real* scratch, int count,
                                     float* real) const {
  run(rows, offset, weights, scratch);
  separate(scratch, std::min(count, size_ / 4 + 1), [real, count](int k, int l, Real value, Real) {
    if (k < count) real[Eigen::Index{k} * kLanes + l] = static_cast<float>(value);
  });
}

template class BasicBatchFft<double>;
template class BasicBatchFft<float>;

}  // namespace ser
