#pragma once

#include <Eigen/Core>
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
nn::Shape input_shape(Eigen::Index rows, bool frames);

/// An uninitialised batch for clips of these many frames, side by side, each as long as the
/// longest. frames: one a clip.
nn::Tensor take_batch(std::span<const int> frames, const nn::Shape& shape, nn::Arena& arena);

}  // namespace ser
