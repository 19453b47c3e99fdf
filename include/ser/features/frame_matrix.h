#pragma once

#include <Eigen/Core>

namespace ser {

/// Values over time, [rows x frames]. A row lies contiguous in memory, so that loops over frames
/// vectorise and each frame is computed with the same arithmetic whatever its neighbours hold.
using FrameMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace ser
