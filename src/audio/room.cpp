#include "audio/room.h"

#include <cmath>
#include <unsupported/Eigen/FFT>

namespace ser {
namespace {

/// Convolution, as long as the wave.
Eigen::VectorXf convolve(const Eigen::VectorXf& wave, const Eigen::VectorXf& response) {
  Eigen::Index size = 1;
  while (size < wave.size() + response.size()) size *= 2;
  const auto spectrum = [&](const Eigen::VectorXf& signal) {
    Eigen::VectorXf padded = Eigen::VectorXf::Zero(size);
    padded.head(signal.size()) = signal;
    Eigen::VectorXcf values;
    Eigen::FFT<float>().fwd(values, padded);
    return values;
  };
  const Eigen::VectorXcf product = spectrum(wave).cwiseProduct(spectrum(response));
  Eigen::VectorXf result;
  Eigen::FFT<float>().inv(result, product);
  return result.head(wave.size());
}

}  // namespace

Waveform reverberated(const Waveform& wave, double rt60_s, Rng& rng) {
  Eigen::VectorXf response(std::lround(rt60_s * wave.sample_rate_hz));
  const double decay = std::log(1000.0) / static_cast<double>(response.size());
  for (Eigen::Index i = 0; i < response.size(); ++i)
    response[i] = static_cast<float>(rng.normal() * std::exp(-decay * static_cast<double>(i)));
  response /= response.norm();
  response[0] = 1;
  Eigen::VectorXf wet = convolve(wave.samples, response);
  const float level = wet.norm();
  if (level > 0) wet *= wave.samples.norm() / level;
  return {wet, wave.sample_rate_hz};
}

}  // namespace ser
