#pragma once

#include <string>
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

/// Cross-entropy between softmax(logits) and target distributions, summed over heads and clips
/// with the given weights, and its gradient.
/// logits, targets, gradient: [outputs x clips]; weights: [heads x clips], zero where a label is
/// missing. targets may be any distribution: one-hot, smoothed, mixed, or a teacher's.
double softmax_cross_entropy(const Tensor& logits, const std::vector<HeadRange>& heads,
                             const Eigen::Ref<const Matrix>& targets,
                             const Eigen::Ref<const Matrix>& weights, const Tensor& gradient);

}  // namespace ser::nn
