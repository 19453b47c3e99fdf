#pragma once

#include <Eigen/Core>

#include "ser/core/rng.h"
#include "ser/nn/tensor.h"
#include "ser/train/recipe.h"

namespace ser {

/// Masks runs of frames, and runs of the first `spectral_rows` bands, with zero (Park et al. 2019,
/// SpecAugment); in place.
void mask(const FeatureAugmentation& options, Eigen::Index spectral_rows, Rng& rng,
          nn::MatrixMap clip);

}  // namespace ser
