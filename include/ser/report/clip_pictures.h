#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/features/feature_set.h"
#include "ser/report/picture.h"

namespace ser::report {

/// Pictures of a recording that can be asked for: sheet (all others on one page), waveform,
/// spectrogram, log_spectrogram, mel, mfcc, chroma, f0, centroid.
std::span<const std::string_view> picture_kinds();

/// Throws Error for no kinds, an unknown one, naming the nearest, and one that is there twice.
void check_picture_kinds(std::span<const std::string> kinds);

/// Pictures of a recording, one a kind. They show all of it, at the rate of the set where that is
/// lower than the recording's; the waveform has what the set cuts and trims away shaded.
/// However long the recording, a picture has a fixed number of columns: a column holds the mean
/// power of its frames, and the lowest and highest of its samples.
/// Throws Error as `check_picture_kinds` and `check_recording`.
std::vector<Picture> clip_pictures(const Waveform& wave, const FeatureSet& set,
                                   const std::string& title, std::span<const std::string> kinds);

}  // namespace ser::report
