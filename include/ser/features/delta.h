#pragma once

#include "ser/features/frame_matrix.h"

namespace ser {

/// Slope (order 1) or curvature (order 2) of each row over nine frames: the derivative of the
/// polynomial of that order fitted to them (Savitzky and Golay 1964). The first and last four
/// frames take the derivative of the fit to the first and last nine; with fewer than nine frames
/// the row is continued by its edge values instead.
/// As librosa 0.11 `feature.delta(width=9)`. Throws Error for another order than 1 or 2.
FrameMatrix delta(const FrameMatrix& values, int order);

}  // namespace ser
