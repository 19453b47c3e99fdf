#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "ser/audio/waveform.h"
#include "ser/core/error.h"

namespace ser {

inline constexpr int kRateHz = 16000;

inline Waveform sine(double frequency_hz, double duration_s, int rate_hz, double amplitude = 0.5) {
  Waveform wave{Eigen::VectorXf(std::lround(duration_s * rate_hz)), rate_hz};
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i)
    wave.samples[i] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * frequency_hz *
                                                              static_cast<double>(i) / rate_hz));
  return wave;
}

/// The message of the Error that `work` throws; fails the test if it throws none.
template <typename Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

}  // namespace ser
