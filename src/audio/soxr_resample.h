#pragma once

#include <Eigen/Core>

namespace ser {

/// `samples` of rate `input_rate` at rate `output_rate`, exactly `size` of them: zero-padded or
/// cut. libsoxr's HQ recipe, float samples, one thread. Throws Error if libsoxr refuses the rates.
Eigen::VectorXf soxr_resample(const Eigen::VectorXf& samples, double input_rate, double output_rate,
                              Eigen::Index size);

}  // namespace ser
