#pragma once

#include <Eigen/Core>
#include <vector>

#include "ser/nn/tensor.h"

namespace ser {

/// Shape of a network's input for features of `rows` rows: clip vectors, or frames of any number.
nn::Shape input_shape(Eigen::Index rows, bool frames);

/// Scaled clips [rows x frames] side by side in arena memory, padded with zeros to the longest.
/// All clips have shape.rows() rows.
nn::Tensor make_batch(const std::vector<const Eigen::MatrixXf*>& clips, const nn::Shape& shape,
                      nn::Arena& arena);

}  // namespace ser
