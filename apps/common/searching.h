#pragma once

#include "ser/train/recipe.h"
#include "training.h"

namespace ser {

/// Throws UsageError for flags that do not go together with --search, or that ask for one.
void check_search(const TrainingFlags& flags, const Flags& given, const Team& team);

/// Searches for a recipe, or scores a shard of the search, and prints what was found.
void run_search(const TrainingFlags& flags, const Recipe& base, const FeatureTable& table,
                const CommonOptions& common, Team& team);

}  // namespace ser
