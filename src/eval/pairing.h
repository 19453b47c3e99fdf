#pragma once

#include <vector>

#include "ser/eval/result_file.h"

namespace ser {

/// Predictions of `b` in the order of those of `a`. Throws Error unless both are of the same clips.
std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b);

/// A result's predictions, fold by fold.
std::vector<FoldPredictions> folds_of(const ResultFile& result);

/// Throws Error unless the models heard as many clips, in every one of the scores.
void check_equally_heard(const ResultFile& a, const ResultFile& b);

/// The i-th of `more_heard` of each result.
std::vector<ResultFile> heard_alike(const std::vector<ResultFile>& results, std::size_t i);

}  // namespace ser
