#include "ser/audio/low_cut.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "core/internal/fail.h"

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

using Lanes = double __attribute__((vector_size(kSections * sizeof(double))));

/// Filtered from rest, in direct form II transposed. A lane is a section; each is two samples
/// behind the one before, so that none waits for another's result.
Eigen::VectorXd filtered(const Eigen::VectorXf& samples,
                         const std::array<Section, kSections>& sections) {
  constexpr Index kBehind = 2 * (kSections - 1);
  Lanes b0, a1, a2, first{}, second{}, result{}, next{};
  for (std::size_t i = 0; i < kSections; ++i) {
    b0[i] = sections[i].b0;
    a1[i] = sections[i].a1;
    a2[i] = sections[i].a2;
  }
  Eigen::VectorXd output(samples.size());
  for (Index n = 0; n < samples.size() + kBehind; ++n) {
    Lanes value = next;
    value[0] = n < samples.size() ? static_cast<double>(samples[n]) - samples[0] : 0;
    next = __builtin_shufflevector(result, result, 0, 0, 1, 2);
    const Lanes forward = b0 * value;
    result = forward + first;
    first = second - 2 * forward - a1 * result;
    second = forward - a2 * result;
    if (n >= kBehind) output[n - kBehind] = result[kSections - 1];
  }
  return output;
}

/// What the filter can give without input: the real and imaginary parts of p^n, [2 poles x size].
Eigen::Matrix<double, 2 * kSections, Eigen::Dynamic> modes(
    const std::array<Section, kSections>& sections, Index size) {
  using Poles = Eigen::Array<double, kSections, 1>;
  Poles turn_real, turn_imaginary, real = Poles::Ones(), imaginary = Poles::Zero();
  for (int i = 0; i < kSections; ++i) {
    turn_real[i] = sections[static_cast<std::size_t>(i)].pole.real();
    turn_imaginary[i] = sections[static_cast<std::size_t>(i)].pole.imag();
  }
  Eigen::Matrix<double, 2 * kSections, Eigen::Dynamic> modes(2 * kSections, size);
  for (Index n = 0; n < size; ++n) {
    modes.col(n).head<kSections>() = real;
    modes.col(n).tail<kSections>() = imaginary;
    const Poles turned = real * turn_real - imaginary * turn_imaginary;
    imaginary = real * turn_imaginary + imaginary * turn_real;
    real = turned;
  }
  return modes;
}

}  // namespace

Waveform low_cut(const Waveform& wave, double cutoff_hz) {
  if (!(cutoff_hz > 0 && cutoff_hz < wave.sample_rate_hz / 2.0))
    fail("low cut: expected a frequency above 0 and below {} Hz, found {} Hz",
         wave.sample_rate_hz / 2.0, cutoff_hz);
  if (wave.samples.size() == 0) return wave;
  const auto sections = butterworth(cutoff_hz, wave.sample_rate_hz);
  Eigen::VectorXd output = filtered(wave.samples, sections);
  const Index start = std::min<Index>(output.size(), std::lround(kStartS * wave.sample_rate_hz));
  const auto free = modes(sections, start);
  const Eigen::MatrixXd gram = free * free.transpose();
  const Eigen::VectorXd excited = gram.ldlt().solve(free * output.head(start));
  output.head(start) -= free.transpose() * excited;
  return {output.cast<float>(), wave.sample_rate_hz};
}

}  // namespace ser
