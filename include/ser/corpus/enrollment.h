#pragma once

#include "ser/corpus/feature_table.h"

namespace ser {

/// Makes features tell how a clip differs from the others of its speaker: from every frame the mean
/// over all frames of the speaker's clips is subtracted, no emotion being looked at. Copies of
/// clips are compared with the copies changed alike, as if of another speaker. Throws Error for a
/// clip without a speaker.
void make_relative_to_speakers(FeatureTable& table);

}  // namespace ser
