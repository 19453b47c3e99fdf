#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "features/batch_fft.h"
#include "ser/core/error.h"
#include "ser/core/rng.h"
#include "ser/features/stft.h"

namespace ser {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Real = BatchFft::Real;
constexpr int kLanes = BatchFft::kLanes;

std::vector<std::complex<double>> naive_dft(const std::vector<double>& signal) {
  const auto size = signal.size();
  std::vector<std::complex<double>> spectrum(size / 2 + 1);
  for (std::size_t k = 0; k < spectrum.size(); ++k)
    for (std::size_t n = 0; n < size; ++n)
      spectrum[k] +=
          signal[n] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * n % size) /
                                          static_cast<double>(size));
  return spectrum;
}

class BatchFftSize : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, BatchFftSize,
                         testing::Values(16, 32, 64, 128, 256, 512, 1024, 2048, 4096));

TEST_P(BatchFftSize, EveryLaneIsTheDefiningSum) {
  const int size = GetParam();
  const BatchFft fft(size);
  Rng rng(1, static_cast<std::uint64_t>(size));
  std::vector<float> input(static_cast<std::size_t>(size) * kLanes);
  std::vector<Real> weights(static_cast<std::size_t>(size));
  std::vector<const float*> rows;
  for (int n = 0; n < size; ++n) {
    // Lane 0 is a million times louder than its neighbours, which must not notice.
    for (int l = 0; l < kLanes; ++l)
      input[static_cast<std::size_t>(n * kLanes + l)] =
          static_cast<float>(rng.normal() * (l == 0 ? 1e6 : 1));
    weights[static_cast<std::size_t>(n)] = rng.uniform();
    rows.push_back(input.data() + n * kLanes);
  }
  Eigen::VectorX<Real> scratch(fft.scratch_size()), spectrum(fft.spectrum_size());
  fft.transform(rows, 0, weights, scratch.data(), spectrum.data());
  for (const int l : {0, 1, kLanes - 1}) {
    std::vector<double> signal;
    for (int n = 0; n < size; ++n)
      signal.push_back(static_cast<double>(input[static_cast<std::size_t>(n * kLanes + l)]) *
                       weights[static_cast<std::size_t>(n)]);
    const auto expected = naive_dft(signal);
    for (int k = 0; k < fft.num_bins(); ++k) {
      const double scale = (l == 0 ? 1e6 : 1.0) * std::sqrt(size);
      const auto at = Eigen::Index{k} * 2 * kLanes + l;
      EXPECT_NEAR(spectrum[at], expected[static_cast<std::size_t>(k)].real(), 1e-12 * scale);
      EXPECT_NEAR(spectrum[at + kLanes], expected[static_cast<std::size_t>(k)].imag(),
                  1e-12 * scale);
    }
  }
}

TEST_P(BatchFftSize, PowersAndRealPartsAreThoseOfTheSpectrum) {
  const int size = GetParam();
  const BatchFft fft(size);
  Rng rng(2, static_cast<std::uint64_t>(size));
  std::vector<float> input(static_cast<std::size_t>(size) * kLanes);
  for (float& sample : input) sample = static_cast<float>(rng.normal());
  const std::vector<Real> weights(static_cast<std::size_t>(size), 0.5);
  std::vector<const float*> rows;
  for (int n = 0; n < size; ++n) rows.push_back(input.data() + n * kLanes);
  Eigen::VectorX<Real> scratch(fft.scratch_size()), spectrum(fft.spectrum_size());
  fft.transform(rows, 0, weights, scratch.data(), spectrum.data());
  const Eigen::MatrixX<Real> parts =
      Eigen::MatrixX<Real>::Map(spectrum.data(), kLanes, 2 * fft.num_bins());
  const auto real = parts(Eigen::all, Eigen::seq(0, Eigen::last, 2)).eval();
  const auto imaginary = parts(Eigen::all, Eigen::seq(1, Eigen::last, 2)).eval();
  Eigen::MatrixXf power(kLanes, fft.num_bins());
  fft.power(rows, 0, weights, scratch.data(), power.data());
  EXPECT_TRUE(power.isApprox((real.cwiseAbs2() + imaginary.cwiseAbs2()).cast<float>(), 1e-6f));
  for (const int count : {1, size / 4, size / 4 + 2, fft.num_bins()}) {
    Eigen::MatrixXf found(kLanes, count);
    fft.real_parts(rows, 0, weights, scratch.data(), count, found.data());
    EXPECT_EQ(found, real.leftCols(count).cast<float>());
  }
}

TEST_P(BatchFftSize, SinglePrecisionIsAsExactAsItsNumbers) {
  using Single = BasicBatchFft<float>;
  const int size = GetParam(), count = size / 2 + 1;
  Rng rng(3, static_cast<std::uint64_t>(size));
  std::vector<float> input(static_cast<std::size_t>(size) * Single::kLanes);
  for (float& sample : input) sample = static_cast<float>(rng.normal());
  std::vector<const float*> rows;
  for (int n = 0; n < size; ++n) rows.push_back(input.data() + n * Single::kLanes);
  const auto parts = [&](const auto& fft, Eigen::Index first) {
    using Fft = std::decay_t<decltype(fft)>;
    const std::vector<typename Fft::Real> weights(static_cast<std::size_t>(size), 0.5);
    Eigen::VectorX<typename Fft::Real> scratch(fft.scratch_size());
    Eigen::MatrixXf real(Fft::kLanes, count);
    fft.real_parts(rows, first, weights, scratch.data(), count, real.data());
    return real;
  };
  const Eigen::MatrixXf single = parts(Single(size), 0);
  const BatchFft fft(size);
  for (Eigen::Index first = 0; first < Single::kLanes; first += kLanes)
    EXPECT_TRUE(single.middleRows<kLanes>(first).isApprox(parts(fft, first), 1e-6f));
}

TEST(BatchFft, RefusesOtherSizesThanPowersOfTwo) {
  for (const int size : {0, 8, 100, 131072})
    EXPECT_THAT([&] { BatchFft{size}; }, ThrowsMessage<Error>(HasSubstr("power of two")));
}

/// Each frame cut out, windowed and transformed by the defining sum.
TEST(Stft, FramesAreCentredAndZeroPadded) {
  const StftOptions options{64, 24, 40};
  Rng rng(2, 0);
  Eigen::VectorXf samples(401);
  for (float& sample : samples) sample = static_cast<float>(rng.normal());
  const FrameMatrix power = power_spectrogram(samples, options);
  Eigen::VectorXd window(40);  // of Hann, periodic
  for (int n = 0; n < 40; ++n) window[n] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / 40);
  ASSERT_EQ(power.cols(), 1 + 401 / 24);
  ASSERT_EQ(power.rows(), 33);
  for (Eigen::Index t = 0; t < power.cols(); ++t) {
    std::vector<double> frame(64, 0.0);
    for (Eigen::Index n = 0; n < 40; ++n) {
      const Eigen::Index i = t * 24 - 32 + 12 + n;
      if (i >= 0 && i < samples.size())
        frame[static_cast<std::size_t>(12 + n)] = window[n] * samples[i];
    }
    const auto expected = naive_dft(frame);
    for (Eigen::Index k = 0; k < 33; ++k) {
      EXPECT_NEAR(power(k, t), std::norm(expected[static_cast<std::size_t>(k)]), 1e-4);
    }
  }
}

TEST(Stft, AFrameDoesNotDependOnItsNeighbours) {
  Rng rng(3, 0);
  Eigen::VectorXf samples(20000);
  for (float& sample : samples) sample = static_cast<float>(rng.normal());
  Eigen::VectorXf longer = Eigen::VectorXf::Zero(30000);
  longer.head(20000) = samples;
  longer.tail(5000).setConstant(1e6f);
  const FrameMatrix alone = power_spectrogram(samples, {512, 160, 400});
  const FrameMatrix among = power_spectrogram(longer, {512, 160, 400});
  EXPECT_EQ(alone, among.leftCols(alone.cols()));
}

TEST(Stft, RefusesHopAndWindowThatDoNotFit) {
  const Eigen::VectorXf samples = Eigen::VectorXf::Zero(1000);
  EXPECT_THAT(
      [&] {
        power_spectrogram(samples, {512, 0, 0});
      },
      ThrowsMessage<Error>(HasSubstr("hop_samples")));
  EXPECT_THAT(
      [&] {
        power_spectrogram(samples, {512, 160, 513});
      },
      ThrowsMessage<Error>(HasSubstr("window_samples")));
}

}  // namespace
}  // namespace ser
