#pragma once

#include <string>
#include <vector>

#include "ser/features/analysis.h"
#include "ser/features/feature.h"
#include "ser/features/feature_set.h"

namespace ser {

/// The values of a feature, [rows x frames], as one column: means, or `functionals` of each row, in
/// the order of `pooled_names`. Rows that are defined in voiced frames alone are pooled over those;
/// a feature pooled over voiced frames takes all where there is none.
/// Features of whole clips are returned as they are.
FrameMatrix pool(const Feature& feature, const FrameMatrix& values, const Analysis& analysis,
                 Pooling pooling);

std::vector<std::string> pooled_names(const Feature& feature, Pooling pooling);

/// Pitch analysis that tells voiced frames from others at a given hop: frames of three periods.
PitchOptions voicing_options(int sample_rate_hz, int hop_samples);

}  // namespace ser
