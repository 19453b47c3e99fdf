#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/trim.h"
#include "ser/features/analysis.h"
#include "ser/features/feature.h"
#include "ser/features/feature_set.h"

namespace ser {

/// The feature set of that name as JSON, or "" if there is none.
std::string_view preset_json(std::string_view name);

std::vector<std::string_view> preset_names();

/// `cleaned` of a checked recording from which hum was removed, if it was to be.
Waveform cleaned_rest(const Waveform& hum_free, const Cleaning& cleaning);

/// The level that recordings are brought to.
inline constexpr double kActiveRms = 0.05;

/// The kept part of a clean recording at its level: what features are computed from, unless it
/// lacks noise.
Waveform levelled(const Waveform& clean, const SampleRange& kept, Level level);

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
