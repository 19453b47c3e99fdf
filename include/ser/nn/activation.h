#pragma once

#include "ser/core/options.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

/// Element-wise functions that end a layer.
/// relu max(0, z); tanh; sigmoid 1 / (1 + e^-z); silu z sigmoid(z) (Elfwing et al. 2018).
enum class Activation { kNone, kRelu, kTanh, kSigmoid, kSilu };

/// An activation as a field of an option struct.
void visit_activation(FieldVisitor& visitor, Activation& activation);

/// Whether `activation_backward` needs the input of the function and not its output alone.
bool keeps_input(Activation activation);

/// out = f(z), element by element. `out` may be `z`.
void activate(Activation activation, ConstArrayMap z, ArrayMap out);

/// gradient *= f'(z), from f's output, or from its input where `keeps_input`.
void activation_backward(Activation activation, ConstArrayMap kept, ArrayMap gradient);

}  // namespace ser::nn
