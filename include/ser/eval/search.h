#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"
#include "ser/core/team.h"
#include "ser/corpus/feature_table.h"
#include "ser/eval/result_file.h"
#include "ser/train/recipe.h"

namespace ser {

/// What a field of a recipe may be.
struct SearchField {
  enum class Kind { kList, kUniform, kLogUniform };
  std::string path;  ///< "training.learning_rate", "network.layers[1].units"
  Kind kind = Kind::kList;
  std::vector<std::string> values;  ///< of a list, as JSON
  double low = 0, high = 0;         ///< of a range
};

/// The recipes that are searched, and how.
struct SearchSpace {
  /// kRandom: every trial is trained in full. kHalving: all trials are trained for few epochs, the
  /// best of them again for more, and so on (successive halving, Jamieson and Talwalkar 2016): the
  /// rungs of ASHA (Li et al. 2020), each of which waits for the one before, so that what is
  /// promoted does not depend on who finishes first.
  enum class Method { kHalving, kRandom };
  Method method = Method::kHalving;
  int rungs = 3;                     ///< kRandom has one
  int reduction = 3;                 ///< epochs grow, and trials shrink, by this from rung to rung
  std::string folds = "speakers:3";  ///< that trials are scored on, within what is trained on
  std::vector<SearchField> fields;

  void visit(FieldVisitor& v);  ///< all but `fields`
  int rung_count() const { return method == Method::kRandom ? 1 : rungs; }
};

/// Reads a search space:
///     {"method": "halving", "rungs": 3, "reduction": 3, "folds": "speakers:3", "fields": {
///       "training.learning_rate": {"log_uniform": [1e-4, 1e-2]},
///       "training.label_smoothing": {"uniform": [0, 0.2]},
///       "network.layers[1].units": [64, 128, 256]}}
/// Only `fields` is needed. Throws Error for anything else, naming it.
SearchSpace parse_search_space(std::string_view json);

/// A draw from a space.
struct Trial {
  std::vector<std::string> values;  ///< as JSON, one a field
  Recipe recipe;
  std::string failure = {};  ///< why it is no recipe; `recipe` is then the one searched around
};

/// `count` trials, drawn with Rng(seed): the first trials of a longer search are those of a shorter
/// one. A whole number stays one. Throws Error for a field that the recipe lacks.
std::vector<Trial> draw_trials(const SearchSpace& space, const Recipe& base, int count,
                               std::uint64_t seed);

/// How a search went, without the networks.
struct TrialScore {
  std::vector<std::string> values;  ///< as of `Trial`
  std::vector<double> uar;          ///< by rung, as far as it got; NaN where it failed
  std::string failure = {};         ///< the sentence of the first of its trainings that failed
};

/// What a search chose without having seen an outer fold, and how that does on it.
struct OuterScore {
  int fold = 0;
  int best = 0;          ///< trial
  double inner_uar = 0;  ///< by which it was chosen
  double uar = 0;        ///< on the outer fold
};

struct SearchResult {
  SearchSpace space;
  std::vector<TrialScore> trials;
  std::vector<int> epochs;    ///< of each rung, of the recipe searched around
  int best = 0;               ///< trial
  Recipe recipe;              ///< of the best trial
  double flattered_uar = 0;   ///< by which it was chosen: the best of many looks better than it is
  double network_epochs = 0;  ///< trained in all, the outer folds' searches left out
  std::vector<OuterScore> outer;
  std::optional<ResultFile> nested;  ///< of the outer folds; none without them
};

/// How a search is run, beside what is searched.
struct SearchRun {
  int trials = 0;
  std::string outer;  ///< scheme of the outer folds; empty: none, and no nested score
  std::uint64_t seed = 1;
  int threads = 0;
  /// Scores so far, and at the end the result, as JSON; empty: none.
  std::filesystem::path file = {};
  bool resume = false;  ///< go on from the file and those of shards, as far as they are there
  int shard = 1;        ///< of `shards`: see `search_shard`
  int shards = 1;
  /// Told how many of a rung's open trainings are done.
  std::function<void(std::size_t done, std::size_t units)> observer = {};
  /// Asked after each batch, from several threads; true: save and throw Stopped.
  std::function<bool()> stop = {};
  Team* team = nullptr;  ///< which shares the work; null: this process alone
};

/// Searches for the recipe with the best unweighted average recall (mean over folds of speakers),
/// on all clips, and once more for each outer fold on the clips outside it, whose choice is trained
/// there and scored on the fold: the pooled score is honest, as no scored fold had a part in any
/// choice. The result depends on table, recipe, space, number of trials, scheme and seed alone: not
/// on threads, processes, or where it was interrupted and resumed.
/// A trial that is no recipe, diverges or cannot be trained gets no further than that rung.
/// Throws Error if every trial of a rung fails, and if the file is of another search.
SearchResult search(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                    const SearchRun& run);

/// Works out every `shards`-th score of the first rung that is not known whole, and of those after
/// it as far as other shards have done theirs, into "FILE.2-of-8" beside the run's file. All shards
/// run once a rung, in any order, know everything; `search` with `resume` then finds the result.
/// Returns whether all is known.
bool search_shard(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                  const SearchRun& run);

/// The file of a search and those that shards have written beside it, as far as they are there.
std::vector<std::filesystem::path> search_files(const std::filesystem::path& file);

/// How much of the trials' scores at the first rung a field explains, from 0 to 1: of a list, the
/// variance between its values; of a range, the squared rank correlation (Spearman).
std::vector<double> importance(const SearchResult& result);

/// The result as JSON, one line a trial.
std::string search_json(const SearchResult& result);

}  // namespace ser
