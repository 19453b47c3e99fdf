#pragma once

#include "ser/core/options.h"
#include "ser/nn/activation.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// How the weights of dense and convolutional layers start.
enum class WeightStart {
  kAuto,   ///< kHe before relu and silu; otherwise Init::kGlorot with `rows` as fan_out
  kHe,     ///< Init::kHe
  kGlorot  ///< Init::kGlorot, fan_out counting every output that an input reaches, as Keras does
};

void visit_weight_start(FieldVisitor& visitor, WeightStart& start);

/// A weight [rows x cols] in front of `activation`; each row stands in `window` places of a window.
Parameter make_weight(WeightStart start, Activation activation, Index rows, Index cols,
                      Index window = 1);

}  // namespace ser::nn
