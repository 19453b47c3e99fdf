#pragma once

#include <Eigen/Core>

#include "ser/core/options.h"

namespace ser {

struct PitchOptions {
  int frame_samples = 2048;
  int hop_samples = 512;
  double low_hz = 65;
  double high_hz = 500;
  double min_periodicity = 0.5;

  void visit(FieldVisitor& v);
  bool operator==(const PitchOptions&) const = default;
};

/// Fundamental frequency over time; frame t is centred on sample t * hop_samples.
struct PitchTrack {
  Eigen::VectorXf hz;           ///< 0 in unvoiced frames
  Eigen::VectorXf periodicity;  ///< 0 (noise) to 1 (periodic) at the best period
};

/// Fundamental frequency. Each frame's candidates are the troughs of YIN's cumulative mean
/// normalised difference (de Cheveigne and Kawahara 2002), refined by a parabola and weighted as in
/// pYIN (Mauch and Dixon 2014: thresholds distributed as beta(2, 18), early troughs preferred); the
/// path through candidates and "unvoiced" is the best one (Viterbi) under a limited pitch slope.
/// Periodicity is the normalised autocorrelation 2 r / (e0 + e1) (McLeod and Wyvill 2005).
/// Against pYIN on twelve clips of RAVDESS: 64 % of its voiced frames are found, 4.0 % of the
/// others are called voiced, and where both hear a voice 99.7 % are within 1 %; from a periodicity
/// of 0.35 on, which melody and voice quality look at, 75, 5.8 and 98.8 %. Independent of gain, and
/// of an offset: frames are looked at without their mean. Frames: 1 + samples / hop. Throws Error
/// unless 0 < low_hz < high_hz and a frame holds two periods of low_hz.
PitchTrack track_pitch(const Eigen::VectorXf& samples, int sample_rate_hz,
                       const PitchOptions& options);

}  // namespace ser
