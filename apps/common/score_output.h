#pragma once

#include <string>

#include "ser/eval/result_file.h"

namespace ser {

/// Prints the scores of a result on stdout, as tables.
void print_scores(const ResultFile& result);

/// Prints how the results of files `a` and `b` compare.
void print_comparison(const Comparison& comparison, const std::string& a, const std::string& b);

}  // namespace ser
