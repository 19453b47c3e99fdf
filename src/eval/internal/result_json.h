#pragma once

#include "core/internal/json_io.h"
#include "ser/eval/result_file.h"

namespace ser {

/// Longer files are refused unread.
inline constexpr std::uint64_t kMaxResultBytes = std::uint64_t{1} << 30;

/// What a result file holds, the predictions left out.
Json result_figures(const ResultFile& result);

}  // namespace ser
