#pragma once

#include <string>
#include <vector>

#include "ser/eval/result_file.h"

namespace ser {

/// What an ensemble of the scored models says: for each clip the mean of the results' log
/// probabilities, divided by `temperature`, then softmax, which is how `predict` pools members.
/// The results may be of different recipes, features and seeds; info.recipe lists their recipes,
/// info.fingerprint their features, the seed is the first one's.
/// names: of the results, for messages. Throws Error, naming two of them, for results that differ
/// in labels, split, or the clips of a fold, and for a temperature that is not above 0.
ResultFile average_results(const std::vector<ResultFile>& results,
                           const std::vector<std::string>& names, double temperature);

}  // namespace ser
