#pragma once

#include "ser/core/rng.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

/// Fills `mask` with zeros, with probability `rate`, and 1 / (1 - rate).
void draw_dropout(Rng rng, double rate, const Tensor& mask);

}  // namespace ser::nn
