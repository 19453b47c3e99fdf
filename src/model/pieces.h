#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "model/internal/batch.h"
#include "ser/model/model.h"

namespace ser {

inline constexpr std::size_t kBatch = 8;  // memory grows with it, speed hardly

/// One clip of a set, where its voice lies (empty: nothing heard), and what that makes of the
/// member's temperature.
struct ClipInput {
  ClipView features;
  Eigen::VectorXf offset = {};
  double temperature = 1;
  std::function<void()> before_reading = {};  ///< some pieces of a long one

  bool is_long() const { return features.cols() > kLongestWhole; }
};

/// A clip in pieces of kPieceFrames and a little more; one that is not long as it is.
inline std::vector<ClipInput> pieces_of(const ClipInput& clip) {
  const Eigen::Index rows = clip.features.rows(), frames = clip.features.cols();
  const Eigen::Index count = clip.is_long() ? frames / kPieceFrames : 1;
  std::vector<ClipInput> pieces;
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Index begin = frames * i / count, end = frames * (i + 1) / count;
    pieces.push_back({ClipView(clip.features.data() + begin * rows, rows, end - begin), clip.offset,
                      clip.temperature});
  }
  return pieces;
}

/// What `run` makes of clips, one column each: of long ones the mean over their pieces, and few at
/// a time, so that memory does not grow with their length.
template <typename Run>
Eigen::MatrixXd run_in_pieces(std::span<const ClipInput> clips, const Run& run) {
  Eigen::Index longest = 0;
  for (const ClipInput& clip : clips) longest = std::max(longest, clip.features.cols());
  if (const std::size_t half = clips.size() / 2;
      half > 0 && std::ssize(clips) * longest > kFramesAtOnce) {
    const Eigen::MatrixXd first = run_in_pieces(clips.first(half), run);
    Eigen::MatrixXd all(first.rows(), std::ssize(clips));
    all << first, run_in_pieces(clips.subspan(half), run);
    return all;
  }
  if (std::ranges::none_of(clips, &ClipInput::is_long)) return run(clips);
  Eigen::MatrixXd columns;
  for (std::size_t n = 0; n < clips.size(); ++n) {
    const std::vector<ClipInput> pieces = pieces_of(clips[n]);
    Eigen::VectorXd sum;
    for (std::size_t begin = 0; begin < pieces.size(); begin += kBatch) {
      const std::size_t size = std::min(kBatch, pieces.size() - begin);
      if (clips[n].before_reading) clips[n].before_reading();
      const Eigen::VectorXd part = run(std::span(pieces).subspan(begin, size)).rowwise().sum();
      sum = begin == 0 ? part : Eigen::VectorXd(sum + part);
    }
    columns.conservativeResize(sum.size(), static_cast<Eigen::Index>(clips.size()));
    columns.col(static_cast<Eigen::Index>(n)) = sum / static_cast<double>(pieces.size());
  }
  return columns;
}

}  // namespace ser
