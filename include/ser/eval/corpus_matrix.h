#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ser/core/team.h"
#include "ser/corpus/feature_table.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/result_file.h"
#include "ser/train/trainer.h"

namespace ser {

/// Called from several threads, with the corpus that is trained on alone.
using CorpusObserver = std::function<void(const std::string& corpus, const EpochReport&)>;

/// Trains on each corpus of the table alone and scores the model on each other, on the clips of
/// classes in common, among which alone it chooses; pairs with fewer than two are left out. Behind
/// them, what `result` of --cv corpora holds: trained on all others. Of two corpora that is all:
/// nothing is trained.
/// Corpus k, by name, draws from Rng(seed, k + the number of corpora). heard: as for `score_model`,
/// one number. The processes of the team share the trainings. keep: as for `cross_validate`, what
/// the model of each corpus says.
std::vector<MatrixCell> corpus_matrix(const FeatureTable& table, const ResultFile& result,
                                      const Recipe& recipe, std::uint64_t seed, int threads,
                                      const CorpusObserver& observer = {}, int heard = 0,
                                      Team& team = alone(), const KeepFolds& keep = {});

struct MatrixTable {
  struct Row {
    std::string trained_on;                 ///< a corpus, or "all others"
    std::vector<const CorpusScore*> cells;  ///< one a column; null: not scored
  };
  std::vector<std::string> tested_on;  ///< the columns
  std::vector<Row> rows;
};

/// The matrix of `result`, which has to live on.
MatrixTable matrix_table(const ResultFile& result);

}  // namespace ser
