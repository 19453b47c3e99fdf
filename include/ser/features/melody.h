#pragma once

#include <Eigen/Core>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"

namespace ser {

struct MelodyOptions {
  int hop_samples = 160;
  void visit(FieldVisitor& v);
};

/// Rows of `melody`, in order.
inline constexpr int kMelodyRows = 4;

/// Pitch and loudness over time in ranges that suit a network, [4 x frames]:
/// 0 pitch relative to the clip's median, half octaves; 1 pitch relative to 165 Hz, octaves; both 0
/// in unvoiced frames; 2 periodicity, 0 to 1; 3 level relative to the loud parts of the clip (their
/// 95th percentile), in units of 20 dB, at least -3.
/// level_db: of the frames of `pitch`, [1 x frames].
FrameMatrix melody(const PitchTrack& pitch, const Eigen::RowVectorXf& level_db);

}  // namespace ser
