#include "model/internal/batch.h"

#include <algorithm>

namespace ser {

nn::Shape input_shape(Eigen::Index rows, bool frames) {
  return {1, static_cast<int>(rows), frames ? 0 : 1};
}

nn::Tensor take_batch(std::span<const int> frames, const nn::Shape& shape, nn::Arena& arena) {
  const auto clips = static_cast<Eigen::Index>(frames.size());
  const auto [shortest, longest] = std::ranges::minmax(frames);
  int* lengths = nullptr;
  if (shortest != longest) {
    lengths = arena.take<int>(clips);
    std::ranges::copy(frames, lengths);
  }
  return arena.tensor(shape, longest, clips, lengths);
}

}  // namespace ser
