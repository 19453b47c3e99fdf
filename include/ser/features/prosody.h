#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"

namespace ser {

struct ProsodyOptions {
  double hop_s = 0.01;
  void visit(FieldVisitor& v);
};

/// Melody, loudness and rhythm of a clip, one column, named by `prosody_names()`.
/// pitch: the clip's track; energy_db: level of the same frames, dB, [1 x frames]; hop_s: from one
/// frame to the next. Levels are taken relative to the clip's own. Without voiced frames all that
/// describes melody is 0.
Eigen::VectorXf prosody(const PitchTrack& pitch, const Eigen::RowVectorXf& energy_db, double hop_s);

/// Names of the rows of `prosody`: "prosody.f0.mean", ...
std::vector<std::string> prosody_names();

}  // namespace ser
