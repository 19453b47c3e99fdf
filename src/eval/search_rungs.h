#pragma once

#include <string>
#include <vector>

#include "eval/search_log.h"
#include "ser/core/team.h"
#include "ser/corpus/split.h"
#include "ser/eval/search.h"

namespace ser {

/// Everything that a search refers to.
struct SearchSetting {
  const FeatureTable& table;
  const SearchSpace& space;
  const SearchRun& run;
  const std::vector<Trial>& trials;
  std::vector<std::string> labels;
  std::vector<Fold> outer;
};

/// One search: of all clips, or of those outside of an outer fold.
struct Arena {
  std::vector<Fold> folds;               ///< within the clips that it may see
  std::vector<int> alive;                ///< trials of the rung; after the last one, best first
  std::vector<std::vector<double>> uar;  ///< by trial, by rung
  std::vector<std::string> failures;     ///< by trial

  /// The trial that the search chose.
  int best() const { return alive[0]; }
  double best_uar() const { return uar[best()].back(); }
};

/// The search of all clips, then one for each outer fold, before their first rung.
std::vector<Arena> make_arenas(const SearchSetting& setting);

/// Passes of a trial at a rung: the last rung's are the recipe's.
int epochs_at(const SearchSpace& space, int epochs, int rung);

/// Runs all searches rung by rung, as far as the scores of a rung are known to the log or are this
/// run's to work out. Returns whether that is to the end. Throws Stopped where the run asks for it,
/// Error if all trials of a rung fail.
bool climb(const SearchSetting& setting, Team& team, SearchLog& log, std::vector<Arena>& arenas);

/// What the recipe, trained outside of the fold, says of the fold's clips. split: of the fold.
std::vector<Prediction> train_and_ask(const SearchSetting& setting, const Recipe& recipe,
                                      const std::string& split, const Fold& fold,
                                      std::uint64_t stream);

}  // namespace ser
