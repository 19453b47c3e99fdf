#pragma once

#include <string>

#include "ser/features/feature_set.h"

namespace ser {

/// "classic", "functionals" or "frames"; empty for another set.
std::string preset_name(const FeatureSet& set);

/// What a set is called in messages: "--features functionals" for a preset, else its features and
/// preparation.
std::string describe(const FeatureSet& set);

}  // namespace ser
