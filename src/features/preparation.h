#pragma once

#include "ser/audio/trim.h"
#include "ser/features/feature_set.h"

namespace ser {

/// What `cleaned` reads of a preparation; the rest as it is by default.
Preparation cleaning_of(const Preparation& preparation);

/// `cleaned` of a checked recording from which hum was removed, if it was to be.
Waveform cleaned_rest(const Waveform& hum_free, const Preparation& preparation);

/// The kept part of a clean recording at its level: what features are computed from.
Waveform levelled(const Waveform& clean, const SampleRange& kept, Level level);

}  // namespace ser
