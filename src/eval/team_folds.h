#pragma once

#include <vector>

#include "ser/core/team.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/result_file.h"

namespace ser {

/// Makes every fold known to all processes of the team, each of which has those dealt to it.
void share_folds(Team& team, std::vector<FoldPredictions>& folds);
std::vector<LearningCurve> share_curves(Team& team, std::vector<LearningCurve> mine);

}  // namespace ser
