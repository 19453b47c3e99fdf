#pragma once

#include <Eigen/Core>
#include <array>
#include <string_view>

#include "ser/features/frame_matrix.h"

namespace ser {

/// The statistics of a contour that `functionals` returns, in its order.
inline constexpr std::array<std::string_view, 12> kFunctionals = {
    "mean", "sd", "skewness", "p05", "p20", "p50", "p80", "p95", "range", "slope", "begin", "end"};

/// Value below which a share `q` in [0, 1] of the sorted values lies, interpolated linearly between
/// neighbours. 0 for no values.
double quantile(const Eigen::VectorXd& sorted, double q);

/// The same of values in any order.
double quantile_of(Eigen::VectorXd values, double q);

/// Slope of the least-squares line through (x, y); 0 if x does not vary.
double line_slope(const Eigen::VectorXd& x, const Eigen::VectorXd& y);

/// Each row sorted, from the smallest value. Values are finite.
FrameMatrix sorted_rows(const FrameMatrix& rows);

/// Statistics of a contour: mean, standard deviation, skewness (0 where the values do not vary),
/// the 5th, 20th, 50th, 80th and 95th percentile, the range between the first and last of these,
/// the slope of the regression line a second, and how far the means of the first and last third lie
/// from the mean. All 0 for no values.
Eigen::VectorXd functionals(const Eigen::VectorXd& times_s, const Eigen::VectorXd& values);

/// The same of each row, [rows x kFunctionals].
FrameMatrix functionals_of_rows(const Eigen::VectorXd& times_s, const FrameMatrix& rows);

/// Slope (order 1) or curvature (order 2) of each row over nine frames: the derivative of the
/// polynomial of that order fitted to them (Savitzky and Golay 1964). The first and last four
/// frames take the derivative of the fit to the first and last nine; with fewer than nine frames
/// the row is continued by its edge values instead.
/// As librosa 0.11 `feature.delta(width=9)`. Throws Error for another order than 1 or 2.
FrameMatrix delta(const FrameMatrix& values, int order);

}  // namespace ser
