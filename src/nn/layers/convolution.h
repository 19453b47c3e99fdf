#pragma once

#include "nn/layers/weight_start.h"
#include "nn/layers/window.h"
#include "ser/nn/activation.h"
#include "ser/nn/layer.h"

namespace ser::nn {

/// A convolution over the bands and frames of each clip: what conv1d (one band whose channels are
/// all rows) and conv2d have in common. The window of an output is a few contiguous stretches of
/// memory, so forward, weight gradient and input gradient are products that read their right
/// factor in place (see nn/product.h); nothing is unrolled into columns.
/// The weight is [channels x frames * bands * (input channels / groups)], innermost last.
struct Convolution {
  Window bands;
  Window frames;
  int channels = 1;
  int groups = 1;
  bool bias = true;
  Activation activation = Activation::kNone;
  WeightStart init = WeightStart::kAuto;

  /// Output shape for clips of shape `input`; adds the parameters to `node`.
  Shape plan(Node& node, const Shape& input) const;
  Tensor forward(const Node& node, const Pass& pass, Tape& tape, const Tensor& x) const;
  Tensor backward(const Node& node, const Pass& pass, const Tape& tape, const Tensor& x,
                  const Tensor& gradient) const;
};

}  // namespace ser::nn
