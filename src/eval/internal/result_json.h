#pragma once

#include "core/internal/json_io.h"
#include "ser/eval/result_file.h"

namespace ser {

/// What a result file holds, the predictions left out.
Json result_figures(const ResultFile& result);

}  // namespace ser
