#pragma once

#include "ser/audio/waveform.h"

namespace ser {

/// Samples [begin, end).
struct SampleRange {
  Eigen::Index begin = 0;
  Eigen::Index end = 0;
};

/// The part between the first and the last frame louder than `top_db` below the loudest one, as
/// librosa's `effects.trim` finds it (frames of 2,048 samples, hop 512, mean-square level, zero
/// padding at the edges). Digital silence is left whole. There is no absolute floor (librosa has
/// one at an RMS of 1e-5), so a quieter copy is trimmed to the same range. Throws Error if top_db
/// is not above 0.
SampleRange active_range(const Waveform& wave, double top_db);

}  // namespace ser
