#pragma once

#include <string>

#include "ser/eval/compare.h"
#include "ser/eval/result_file.h"

namespace ser {

/// Prints scores, recall by class, the confusion matrix and the folds on stdout.
void print_scores(const ResultFile& result);

/// Prints a paired comparison on stdout.
void print_comparison(const Comparison& comparison, const std::string& a, const std::string& b);

}  // namespace ser
