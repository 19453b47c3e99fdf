#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/internal/json_io.h"
#include "ser/eval/result_file.h"

namespace ser {

/// What a probability counts as where it is less: its logarithm stays finite.
inline constexpr double kLeastProbability = 1e-12;

/// Index of the true class of each prediction.
/// Throws Error for predictions that do not fit the labels.
std::vector<std::size_t> true_classes(const std::vector<std::string>& labels,
                                      const std::vector<Prediction>& predictions);

/// Predictions, by index, of each speaker; ids in order.
struct SpeakerClips {
  std::string speaker;
  std::vector<int> clips;
};
std::vector<SpeakerClips> clips_by_speaker(const std::vector<Prediction>& predictions);

/// What an interval takes as independent: all clips of a speaker, or single clips where speakers
/// are unknown.
std::vector<std::vector<int>> independent_units(const std::vector<Prediction>& predictions);

/// Predictions of `b` in the order of those of `a`. Throws Error unless both are of the same clips.
std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b);

/// Longer files are refused unread.
inline constexpr std::uint64_t kMaxResultBytes = std::uint64_t{1} << 30;

/// What a result file holds, the predictions left out.
Json result_figures(const ResultFile& result);

}  // namespace ser
