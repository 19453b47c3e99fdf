#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <span>

#include "ser/nn/tensor.h"

namespace ser {

/// A clip of more than kLongestWhole frames is answered, and trained on, in pieces of kPieceFrames.
inline constexpr Eigen::Index kLongestWhole = 6000, kPieceFrames = 300;

/// The most frames of clips that a network is given at once, padding included (one clip may have
/// more): sixteen clips of 6 s. What it keeps of them until its gradients are known is most of the
/// memory that training takes.
inline constexpr Eigen::Index kFramesAtOnce = 10000;

/// Shape of a network's input for features of `rows` rows: clip vectors, or frames of any number.
inline nn::Shape input_shape(Eigen::Index rows, bool frames) {
  return {1, static_cast<int>(rows), frames ? 0 : 1};
}

/// An uninitialised batch for clips of these many frames, side by side, each as long as the
/// longest. frames: one a clip.
inline nn::Tensor take_batch(std::span<const int> frames, const nn::Shape& shape,
                             nn::Arena& arena) {
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
