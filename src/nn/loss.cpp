#include "ser/nn/loss.h"

#include <cmath>
#include <limits>

namespace ser::nn {

void softmax(Matrix& values, const std::vector<HeadRange>& heads) {
  for (Index n = 0; n < values.cols(); ++n)
    for (const HeadRange& head : heads) {
      auto z = values.col(n).segment(head.begin, head.size).array();
      z = (z - z.maxCoeff()).exp().eval();
      z /= z.sum();
    }
}

double softmax_cross_entropy(const Tensor& logits, const std::vector<HeadRange>& heads,
                             const Targets& targets, const Tensor& gradient) {
  double loss = 0;
  for (Index n = 0; n < logits.clips; ++n)
    for (std::size_t h = 0; h < heads.size(); ++h) {
      const auto head = [&](const auto& matrix) {
        return matrix.col(n).segment(heads[h].begin, heads[h].size).array();
      };
      const auto z = head(logits.matrix());
      const auto target = head(targets.distribution);
      const auto allowed = head(targets.allowed) > Real{0};
      auto dz = gradient.matrix().col(n).segment(heads[h].begin, heads[h].size).array();
      const Real weight = targets.weights(h, n);
      if (weight == 0) {
        dz.setZero();
        continue;
      }
      const Real peak = allowed.select(z, std::numeric_limits<Real>::lowest()).maxCoeff();
      dz = allowed.select((z - peak).exp(), Real{0});
      const Real sum = dz.sum();
      const Real log_sum = peak + std::log(sum);
      loss += static_cast<double>(weight) * static_cast<double>((target * (log_sum - z)).sum());
      // dL/dz = softmax(z) - target, for targets that sum to one
      dz = weight * (dz / sum - target);
    }
  return loss;
}

}  // namespace ser::nn
