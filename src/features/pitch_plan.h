#pragma once

#include <Eigen/Core>
#include <array>
#include <vector>

#include "features/batch_fft.h"
#include "ser/features/pitch.h"

namespace ser {

struct FramePlace;

/// A period that a frame may have.
struct PitchCandidate {
  float lag = 0;
  float semitones = 0;  ///< above 1 Hz
  float probability = 0;
  float periodicity = 0;
};
using PitchCandidates = std::vector<PitchCandidate>;

/// The parts of `track_pitch` that depend on options and sampling rate alone.
class PitchPlan {
 public:
  PitchPlan(const PitchOptions& options, int sample_rate_hz);
  /// place: frames whose candidates are remembered there are not looked at again.
  PitchTrack track(const Eigen::VectorXf& samples, const FramePlace& place) const;

 private:
  /// In single precision: a correlation is exact to 1e-6 of the frame's energy.
  using Fft = BasicBatchFft<float>;
  static constexpr int kThresholds = 100;
  using Candidate = PitchCandidate;
  using Candidates = PitchCandidates;

  class Correlator;

  std::vector<Candidates> all_candidates(const Eigen::VectorXf& samples,
                                         const FramePlace& place) const;
  Candidates candidates(const float* correlation, const double* energy, const double* levels) const;
  void weigh(Candidates& found, const std::vector<float>& depths) const;
  std::vector<int> best_path(const std::vector<Candidates>& frames) const;

  PitchOptions options_;
  int sample_rate_hz_;
  int shortest_lag_;
  int longest_lag_;
  Eigen::ArrayXd lags_;  ///< 0, 1, ... longest_lag_ + 1
  Fft fft_;
  std::array<double, kThresholds> threshold_weights_;
  std::vector<double> decayed_;  ///< entry n: 1 - exp(-n times the decay from trough to trough)
};

}  // namespace ser
