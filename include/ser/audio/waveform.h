#pragma once

#include <Eigen/Core>

namespace ser {

/// Mono audio. Samples are nominally in [-1, 1]; float files may exceed it.
struct Waveform {
  Eigen::VectorXf samples;
  int sample_rate_hz = 0;

  double duration_s() const {
    return sample_rate_hz > 0 ? static_cast<double>(samples.size()) / sample_rate_hz : 0;
  }
};

}  // namespace ser
