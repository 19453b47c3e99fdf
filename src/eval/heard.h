#pragma once

#include <vector>

#include "ser/corpus/split.h"

namespace ser {

/// Throws Error for clips to be heard by a model that does not listen.
void check_listens(bool listens, const std::vector<int>& heard);

/// Throws Error if clips are to be heard and no fold scores two recordings of one voice.
void check_hears(const std::vector<Utterance>& clips, const std::vector<Fold>& folds,
                 const std::vector<int>& heard);

}  // namespace ser
