#pragma once

#include <Eigen/Core>
#include <vector>

namespace ser {

/// Frames [begin, end) in a row.
struct Segment {
  Eigen::Index begin = 0;
  Eigen::Index end = 0;
  Eigen::Index size() const { return end - begin; }
};

/// Runs of frames where `inside` is true.
std::vector<Segment> segments(const std::vector<bool>& inside);

/// Means of `values` over six equal parts of the clip, of the frames `inside`; `fallback` for a
/// part that has none.
Eigen::VectorXd sixths(const Eigen::VectorXd& values, const std::vector<bool>& inside,
                       double fallback);

/// Local maxima that rise at least `prominence` above the valleys to both sides.
std::vector<Eigen::Index> prominent_peaks(const Eigen::VectorXd& values, double prominence);

/// Mean over 2 half_width + 1 neighbours; fewer at the edges.
Eigen::VectorXd smoothed(const Eigen::VectorXd& values, Eigen::Index half_width);

/// Share of the variance of `values` that lies in [low_hz, high_hz), by a discrete Fourier sum.
double modulation(const Eigen::VectorXd& values, double hop_s, double low_hz, double high_hz);

/// Mean and standard deviation; 0 of no values.
struct Moments {
  double mean = 0;
  double sd = 0;
};
Moments moments(const std::vector<double>& values);

}  // namespace ser
