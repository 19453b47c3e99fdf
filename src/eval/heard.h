#pragma once

#include <vector>

#include "ser/model/model.h"

namespace ser {

/// Throws Error for clips to be heard by a model that does not listen.
void check_listens(bool listens, const std::vector<int>& heard);

/// Throws Error if clips are to be heard and no clip of any fold has one.
void check_hears(int count, const std::vector<HeardClips>& folds);

}  // namespace ser
