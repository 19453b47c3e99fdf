#include "ser/features/descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "ser/core/rng.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

constexpr double kLsfBinHz = 15.625;

/// One voiced frame with this power, its lines.
Eigen::VectorXf lines_of(const FrameMatrix& power, const LsfOptions& options) {
  const PitchTrack track{Eigen::VectorXf::Constant(1, 120), Eigen::VectorXf::Ones(1)};
  return line_spectral_frequencies(power, kLsfBinHz, track, options).col(0);
}

/// Power of the all-pole filter that has these lines, in Hz, the band ending at high_hz.
FrameMatrix power_with_lines(const std::vector<double>& lines_hz, double high_hz) {
  FrameMatrix power(513, 1);
  for (int k = 0; k < 513; ++k) {
    const double w = std::numbers::pi * k * kLsfBinHz / high_hz;
    // |P|^2 = 4 cos^2(w/2) prod (2 cos w - 2 cos w_i)^2 over the odd lines, |Q|^2 with sin and the
    // even ones; |A|^2 = (|P|^2 + |Q|^2) / 4.
    double sum = std::cos(w / 2), difference = std::sin(w / 2);
    for (std::size_t i = 0; i < lines_hz.size(); ++i)
      (i % 2 == 0 ? sum : difference) *=
          2 * std::cos(w) - 2 * std::cos(std::numbers::pi * lines_hz[i] / high_hz);
    power(k, 0) = static_cast<float>(1 / (sum * sum + difference * difference));
  }
  return power;
}

TEST(Lsf, FindsTheLinesOfAnAllPoleSpectrum) {
  LsfOptions options;
  options.preemphasis = 0;
  options.order = 6;
  options.high_hz = 5000;
  const std::vector<double> lines_hz = {450, 900, 1700, 2300, 3400, 4100};
  const FrameMatrix power = power_with_lines(lines_hz, options.high_hz);
  const Eigen::VectorXf found = lines_of(power, options);
  for (Eigen::Index i = 0; i < 6; ++i)
    EXPECT_NEAR(found[i], lines_hz[static_cast<std::size_t>(i)], 12) << i;
  EXPECT_TRUE(lines_of(1e4f * power, options).isApprox(found, 1e-5f)) << "depends on the gain";
}

TEST(Lsf, IsEvenInAFlatSpectrumAndZeroWithoutVoice) {
  LsfOptions options;
  options.preemphasis = 0;
  const Eigen::VectorXf found = lines_of(FrameMatrix::Ones(513, 1), options);
  for (Eigen::Index i = 0; i < options.order; ++i)
    EXPECT_NEAR(found[i], 5500.0 * static_cast<double>(i + 1) / (options.order + 1), 3) << i;
  const PitchTrack unvoiced{Eigen::VectorXf::Zero(2), Eigen::VectorXf::Ones(2)};
  EXPECT_EQ(line_spectral_frequencies(FrameMatrix::Ones(513, 2), kLsfBinHz, unvoiced, options),
            FrameMatrix::Zero(options.order, 2));
}

TEST(Lsf, RisesWithinAFrameWhateverTheSpectrum) {
  Rng rng(3, 0);
  for (int trial = 0; trial < 50; ++trial) {
    FrameMatrix power(513, 1);
    for (int k = 0; k < 513; ++k)
      power(k, 0) = static_cast<float>(std::pow(10, 4 * rng.normal() - 0.01 * k));
    const Eigen::VectorXf found = lines_of(power, {});
    EXPECT_GT(found[0], 0);
    for (Eigen::Index i = 1; i < found.size(); ++i) EXPECT_GE(found[i], found[i - 1]);
    EXPECT_LE(found[found.size() - 1], 5500);
  }
}

TEST(Lsf, RefusesWhatTheSpectrumDoesNotHold) {
  LsfOptions options;
  options.high_hz = 9000;
  EXPECT_ERROR(lines_of(FrameMatrix::Ones(513, 1), options),
               HasSubstr("at most half the sampling rate, found 9000"));
  options = {};
  options.order = 7;
  EXPECT_ERROR(lines_of(FrameMatrix::Ones(513, 1), options), HasSubstr("expected an even order"));
}

}  // namespace
}  // namespace ser
