#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ser/eval/result_file.h"

namespace ser {

/// Two results on the same clips, side by side.
struct Comparison {
  std::int64_t n = 0;
  double accuracy_a = 0, accuracy_b = 0;
  double uar_a = 0, uar_b = 0;
  std::int64_t only_a_right = 0, only_b_right = 0;
  double uar_difference = 0;  ///< b - a
  /// By Student's t over speakers; nothing for fewer than four.
  std::optional<Interval> ci95_uar_difference;
  std::size_t units = 0;    ///< taken as independent: speakers, or clips whose speaker is unknown
  bool by_speaker = false;  ///< all units are speakers
  /// Two-sided chance of so large a difference if, for each speaker, it is a coin's toss which of
  /// the results is whose (Fisher 1935): all tosses up to 16 units, else 100,000 drawn ones.
  double sign_flip_p = 1;
};

/// Compares two results clip by clip. Tosses are drawn with the seed of `a`.
/// Throws Error, naming the first difference, for other clips, other truth or other classes.
Comparison compare(const ResultFile& a, const ResultFile& b);

}  // namespace ser
