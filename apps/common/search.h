#pragma once

#include <string>

#include "command.h"
#include "ser/core/team.h"
#include "ser/corpus/feature_table.h"
#include "ser/train/recipe.h"

namespace ser {

/// What the flags of ser-train say of a search.
struct SearchTask {
  std::string space;  ///< file
  int trials = 0;
  std::string shard;   ///< "2/8"; empty: all
  std::string cv;      ///< scheme of the outer folds; empty: none
  std::string scores;  ///< file; empty: none
  bool resume = false;
  std::string output;  ///< file of the best recipe
  std::string report;  ///< page; empty: none
};

/// Searches around the recipe, with a progress bar, writes what was asked for, and prints the
/// scores. Throws UsageError for a shard that is none.
void run_search(const SearchTask& task, const Recipe& base, const FeatureTable& table,
                const CommonOptions& common, Team& team);

}  // namespace ser
