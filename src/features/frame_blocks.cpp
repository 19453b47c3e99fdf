#include "features/frame_blocks.h"

#include <algorithm>

namespace ser {
namespace {

constexpr Eigen::Index kTile = 16;
constexpr Eigen::Index kMostLanes = BasicBatchFft<float>::kLanes;

}  // namespace

FrameBlocks::FrameBlocks(const Eigen::VectorXf& samples, int frame_samples, int hop_samples)
    : frames_(num_frames(samples.size(), hop_samples)) {
  const Eigen::Index hop = hop_samples, before = frame_samples / 2;
  const Eigen::Index whole_blocks = (frames_ + kMostLanes - 1) / kMostLanes * kMostLanes;
  const Eigen::Index columns = whole_blocks + (frame_samples - 1) / hop;
  columns_.setZero(hop, (columns + kTile - 1) / kTile * kTile);

  // Sample i stands in row (i + before) % hop and column (i + before) / hop.
  const Eigen::Index stride = columns_.cols();
  const auto copy_column = [&](Eigen::Index column, Eigen::Index begin, Eigen::Index end) {
    for (Eigen::Index row = begin; row < end; ++row) {
      const Eigen::Index i = column * hop + row - before;
      if (i >= 0 && i < samples.size()) columns_(row, column) = samples[i];
    }
  };
  const Eigen::Index last = std::min(stride, (samples.size() + before) / hop + 1);
  for (Eigen::Index column = 0; column < last; column += kTile)
    for (Eigen::Index row = 0; row < hop; row += kTile) {
      const Eigen::Index from = column * hop + row - before;
      const Eigen::Index to = (column + kTile - 1) * hop + row + kTile - before;
      if (row + kTile <= hop && from >= 0 && to <= samples.size()) {
        for (Eigen::Index c = 0; c < kTile; ++c)
          for (Eigen::Index r = 0; r < kTile; ++r)
            columns_.data()[(row + r) * stride + column + c] = samples[from + c * hop + r];
      } else {
        for (Eigen::Index c = column; c < std::min(stride, column + kTile); ++c)
          copy_column(c, row, std::min(hop, row + kTile));
      }
    }
  for (int n = 0; n < frame_samples; ++n)
    rows_.push_back(columns_.data() + n % hop * stride + n / hop);
}

}  // namespace ser
