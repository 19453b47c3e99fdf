#pragma once

#include <vector>

#include "ser/nn/tensor.h"

namespace ser::nn {

/// A group of neighbouring logits that share one softmax.
struct HeadRange {
  Index begin = 0;
  Index size = 0;
};

/// Softmax of every head's rows, in place. values: [outputs x clips].
void softmax(Matrix& values, const std::vector<HeadRange>& heads);

/// What a batch is held against, in views of one column a clip.
struct Targets {
  /// [outputs x clips]: a distribution in every head, one-hot, smoothed, mixed or of listeners.
  Eigen::Ref<const Matrix> distribution;
  /// [outputs x clips]: one for the classes that take part in a clip's softmax, zero for those that
  /// its corpus does not have, whose target is zero and which get no gradient.
  Eigen::Ref<const Matrix> allowed;
  /// [heads x clips]: zero where a label is missing.
  Eigen::Ref<const Matrix> weights;
};

/// Cross-entropy between the softmax over a clip's allowed classes and its target, summed over
/// heads and clips with their weights, and its gradient.
/// logits, gradient: [outputs x clips].
double softmax_cross_entropy(const Tensor& logits, const std::vector<HeadRange>& heads,
                             const Targets& targets, const Tensor& gradient);

}  // namespace ser::nn
