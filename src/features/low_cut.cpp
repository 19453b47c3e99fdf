#include "ser/features/low_cut.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "ser/core/error.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr int kSections = 4;
constexpr double kStartS = 0.2;  // the slowest mode at 60 Hz has decayed to 4e-7

/// One pair of poles p and conj(p), with two zeros at 0 Hz.
struct Section {
  double b0, a1, a2;  ///< H(z) = b0 (1 - 2/z + 1/z^2) / (1 + a1/z + a2/z^2)
  std::complex<double> pole;
};

/// Butterworth poles by the bilinear transform.
std::array<Section, kSections> butterworth(double cutoff_hz, int sample_rate_hz) {
  std::array<Section, kSections> sections;
  const double w = 2 * std::numbers::pi * cutoff_hz / sample_rate_hz;
  for (int i = 0; i < kSections; ++i) {
    // alpha = sin(w) / 2Q
    const double alpha = std::sin(w) * std::sin(std::numbers::pi * (2 * i + 1) / (4 * kSections));
    const double a1 = -2 * std::cos(w) / (1 + alpha), a2 = (1 - alpha) / (1 + alpha);
    const std::complex<double> pole(-a1 / 2, std::sqrt(a2 - a1 * a1 / 4));
    sections[static_cast<std::size_t>(i)] = {(1 + std::cos(w)) / 2 / (1 + alpha), a1, a2, pole};
  }
  return sections;
}

/// Filtered from rest, in direct form II transposed.
Eigen::VectorXd filtered(const Eigen::VectorXf& samples,
                         const std::array<Section, kSections>& sections) {
  Eigen::VectorXd output(samples.size());
  std::array<double, kSections> first{}, second{};
  for (Index n = 0; n < samples.size(); ++n) {
    double value = static_cast<double>(samples[n]) - samples[0];
    for (std::size_t i = 0; i < kSections; ++i) {
      const Section& s = sections[i];
      const double forward = s.b0 * value, result = forward + first[i];
      first[i] = second[i] - 2 * forward - s.a1 * result;
      second[i] = forward - s.a2 * result;
      value = result;
    }
    output[n] = value;
  }
  return output;
}

/// What the filter can give without input: the real and imaginary parts of p^n, [size x poles].
Eigen::MatrixXd modes(const std::array<Section, kSections>& sections, Index size) {
  Eigen::MatrixXd modes(size, 2 * kSections);
  for (int i = 0; i < kSections; ++i) {
    std::complex<double> power = 1;
    for (Index n = 0; n < size; ++n) {
      modes(n, 2 * i) = power.real();
      modes(n, 2 * i + 1) = power.imag();
      power *= sections[static_cast<std::size_t>(i)].pole;
    }
  }
  return modes;
}

}  // namespace

Waveform low_cut(const Waveform& wave, double cutoff_hz) {
  if (!(cutoff_hz > 0 && cutoff_hz < wave.sample_rate_hz / 2.0))
    throw Error(fmt::format("low cut: expected a frequency above 0 and below {} Hz, found {} Hz",
                            wave.sample_rate_hz / 2.0, cutoff_hz));
  if (wave.samples.size() == 0) return wave;
  const auto sections = butterworth(cutoff_hz, wave.sample_rate_hz);
  Eigen::VectorXd output = filtered(wave.samples, sections);
  const Index start = std::min<Index>(output.size(), std::lround(kStartS * wave.sample_rate_hz));
  const Eigen::MatrixXd free = modes(sections, start);
  const Eigen::MatrixXd gram = free.transpose() * free;
  const Eigen::VectorXd excited = gram.ldlt().solve(free.transpose() * output.head(start));
  output.head(start) -= free * excited;
  return {output.cast<float>(), wave.sample_rate_hz};
}

}  // namespace ser
