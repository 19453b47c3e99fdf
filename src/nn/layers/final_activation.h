#pragma once

#include "ser/nn/activation.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// The activation that ends a layer: y = f(y) in place, padding cleared. Keeps in `kept` what the
/// way back needs of y.
void finish_forward(Activation activation, const Pass& pass, const Tensor& y, void*& kept);

/// The way back through it, in place: `gradient` with respect to f(y) becomes that of y.
void begin_backward(Activation activation, const void* kept, const Tensor& output,
                    const Tensor& gradient);

}  // namespace ser::nn
