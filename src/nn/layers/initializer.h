#pragma once

#include "ser/core/options.h"
#include "ser/nn/activation.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// What draws the first weights of dense and convolutional layers.
enum class Initializer {
  kAuto,   ///< kHe before relu and silu; otherwise Init::kGlorot with `rows` as fan_out
  kHe,     ///< Init::kHe
  kGlorot  ///< Init::kGlorot, fan_out counting every output that an input reaches, as Keras does
};

void visit_initializer(FieldVisitor& visitor, Initializer& initializer);

/// A weight [rows x cols] in front of `activation`; each row stands in `window` places of a window.
Parameter make_weight(Initializer initializer, Activation activation, Index rows, Index cols,
                      Index window = 1);

}  // namespace ser::nn
