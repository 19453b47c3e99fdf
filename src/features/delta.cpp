#include "ser/features/functionals.h"

#include <algorithm>
#include <array>

#include "core/internal/fail.h"

namespace ser {
namespace {

constexpr int kHalfWidth = 4;
constexpr int kWidth = 2 * kHalfWidth + 1;

/// Weights of the samples at -4 ... 4 in the derivative of a least-squares line or parabola.
std::array<float, kWidth> derivative_weights(int order) {
  double squares = 0, fourths = 0;
  for (int i = -kHalfWidth; i <= kHalfWidth; ++i) {
    squares += i * i;
    fourths += i * i * i * i;
  }
  std::array<float, kWidth> weights;
  for (int i = -kHalfWidth; i <= kHalfWidth; ++i) {
    // Parabola a + b i + c i^2: 2 c = 2 sum((i^2 - mean i^2) y) / sum((i^2 - mean i^2)^2).
    const double centred = i * i - squares / kWidth;
    const double weight =
        order == 1 ? i / squares : 2 * centred / (fourths - squares * squares / kWidth);
    weights[static_cast<std::size_t>(i + kHalfWidth)] = static_cast<float>(weight);
  }
  return weights;
}

}  // namespace

FrameMatrix delta(const FrameMatrix& values, int order) {
  if (order != 1 && order != 2) fail("delta: expected order 1 or 2, found {}", order);
  const std::array<float, kWidth> weights = derivative_weights(order);
  const Eigen::Index frames = values.cols();
  FrameMatrix result = FrameMatrix::Zero(values.rows(), frames);
  if (frames >= kWidth) {
    const Eigen::Index inner = frames - 2 * kHalfWidth;
    for (Eigen::Index r = 0; r < values.rows(); ++r) {
      auto row = result.row(r);
      for (int i = 0; i < kWidth; ++i)
        row.segment(kHalfWidth, inner) +=
            weights[static_cast<std::size_t>(i)] * values.row(r).segment(i, inner);
      row.head(kHalfWidth).setConstant(row[kHalfWidth]);
      row.tail(kHalfWidth).setConstant(row[frames - kHalfWidth - 1]);
    }
    return result;
  }
  for (Eigen::Index t = 0; t < frames; ++t)
    for (int i = -kHalfWidth; i <= kHalfWidth; ++i)
      result.col(t) += weights[static_cast<std::size_t>(i + kHalfWidth)] *
                       values.col(std::clamp<Eigen::Index>(t + i, 0, frames - 1));
  return result;
}

}  // namespace ser
