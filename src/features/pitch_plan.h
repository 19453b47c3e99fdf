#pragma once

#include <Eigen/Core>
#include <array>
#include <vector>

#include "features/batch_fft.h"
#include "ser/features/pitch.h"

namespace ser {

/// The parts of `track_pitch` that depend on options and sampling rate alone.
class PitchPlan {
 public:
  PitchPlan(const PitchOptions& options, int sample_rate_hz);
  PitchTrack track(const Eigen::VectorXf& samples) const;

 private:
  static constexpr int kThresholds = 100;
  struct Candidate {
    float lag = 0;
    float semitones = 0;  ///< above 1 Hz
    float probability = 0;
    float periodicity = 0;
  };
  using Candidates = std::vector<Candidate>;

  void correlate(const Eigen::VectorXf& samples, Eigen::MatrixXf& correlation) const;
  Candidates candidates(const float* correlation, const double* energy) const;
  void weigh(Candidates& found, const std::vector<float>& depths) const;
  std::vector<int> best_path(const std::vector<Candidates>& frames) const;

  PitchOptions options_;
  int sample_rate_hz_;
  int shortest_lag_;
  int longest_lag_;
  BatchFft fft_;
  std::array<double, kThresholds> threshold_weights_;
  std::vector<double> decayed_;  ///< entry n: 1 - exp(-n times the decay from trough to trough)
};

}  // namespace ser
