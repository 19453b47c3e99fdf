#pragma once

#include <vector>

namespace ser {

/// Throws Error for clips to be heard by a model that does not listen.
void check_listens(bool listens, const std::vector<int>& heard);

}  // namespace ser
