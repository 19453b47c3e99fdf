#include "model/internal/batch.h"

#include <algorithm>
#include <cassert>

namespace ser {

nn::Shape input_shape(Eigen::Index rows, bool frames) {
  return {1, static_cast<int>(rows), frames ? 0 : 1};
}

nn::Tensor make_batch(const std::vector<const Eigen::MatrixXf*>& clips, const nn::Shape& shape,
                      nn::Arena& arena) {
  const auto count = static_cast<Eigen::Index>(clips.size());
  int* lengths = arena.take<int>(count);
  Eigen::Index longest = 0;
  bool equal = true;
  for (Eigen::Index n = 0; n < count; ++n) {
    const Eigen::MatrixXf& clip = *clips[static_cast<std::size_t>(n)];
    assert(clip.rows() == shape.rows());
    lengths[n] = static_cast<int>(clip.cols());
    longest = std::max(longest, clip.cols());
    equal = equal && lengths[n] == lengths[0];
  }
  const nn::Tensor batch = arena.tensor(shape, longest, count, equal ? nullptr : lengths);
  for (Eigen::Index n = 0; n < count; ++n) {
    const Eigen::MatrixXf& clip = *clips[static_cast<std::size_t>(n)];
    batch.clip(n).leftCols(clip.cols()) = clip.cast<nn::Real>();
  }
  batch.clear_padding();
  return batch;
}

}  // namespace ser
