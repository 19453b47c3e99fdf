#pragma once

#include <chrono>
#include <compare>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ser/eval/search.h"

namespace ser {

/// One training and scoring of a search: 0 is that on all clips, 1 + k the one without outer fold
/// k.
struct SearchUnit {
  int search = 0;
  int rung = 0;
  int trial = 0;
  int fold = 0;

  auto operator<=>(const SearchUnit&) const = default;  // NOLINT(modernize-use-nullptr): Clang 14
};

struct ScoredUnit {
  SearchUnit unit;
  double uar = 0;            ///< NaN: the training failed
  std::string failure = {};  ///< why
};

/// As text that other processes, and later runs, read back to the last bit.
std::string to_text(const std::vector<ScoredUnit>& scored);
/// Throws Error for anything else.
std::vector<ScoredUnit> units_of(std::string_view text);

/// Scores that are known, kept in a file.
class SearchLog {
 public:
  /// file: of the search; empty: nothing is kept. suffix: of the file beside it that a shard of the
  /// search writes. run: identifies the search.
  SearchLog(std::filesystem::path file, const std::string& suffix, std::string run);

  /// Takes the scores of the file and of those that shards have written beside it, as far as they
  /// are there. Throws Error if one is of another search.
  void read();
  bool knows(const SearchUnit& unit) const { return scores_.contains(unit); }
  const ScoredUnit& score(const SearchUnit& unit) const { return scores_.at(unit); }
  void add(const std::vector<ScoredUnit>& scored);
  void save();
  /// After 10 s at the earliest.
  void save_if_due();
  /// Saves the result with the scores.
  void finish(const SearchResult& result) const;

 private:
  using Clock = std::chrono::steady_clock;
  void read_one(const std::filesystem::path& path);
  std::string text(const std::string& result) const;

  std::filesystem::path file_;
  std::string run_;
  std::filesystem::path written_;
  std::map<SearchUnit, ScoredUnit> scores_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace ser
