#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "ser/core/team.h"

namespace ser {

struct ScoringFlags {
  std::vector<std::string> features;
  std::vector<std::string> merge;
  std::vector<std::string> average;
  std::vector<std::string> compare;
  std::string model;
  std::string train;
  std::string cv;
  int fold = kUnsetInt;
  bool other_fold = false;
  bool matrix = false;
  std::string heard = "0";
  double temperature = 1;
  std::string checkpoint;
  bool resume = false;
  std::string output;
  std::string report;

  void visit(FieldVisitor& v);
};

/// Scores, pools or compares, as the flags say, and prints what came of it. Throws UsageError for
/// flags that do not go together.
void evaluate(const ScoringFlags& options, const Flags& flags, const CommonOptions& common,
              Team& team);

}  // namespace ser
