#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/team.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/result_file.h"

namespace ser {

/// Makes the folds `open` known to all processes of the team, each of which has those dealt to it.
void share_folds(Team& team, const std::vector<std::size_t>& open,
                 std::vector<FoldPredictions>& folds);
/// The same of all of them.
void share_folds(Team& team, std::vector<FoldPredictions>& folds);
std::vector<LearningCurve> share_curves(Team& team, std::vector<LearningCurve> mine);

/// What came of one fold.
struct FoldDone {
  std::vector<FoldPredictions> by_heard;  ///< by number of clips heard
  std::vector<LearningCurve> curves;
};

/// Identifies a cross-validation, or a matrix of corpora.
std::string run_key(const FeatureTable& table, std::string_view split, const Recipe& recipe,
                    std::uint64_t seed, const std::vector<int>& heard);

/// The folds of a cross-validation that are done, or the corpora of a matrix, a file each.
class KeptFolds {
 public:
  /// run: see `run_key`. name: the files are called "<name>-<number>.json". An empty folder keeps
  /// nothing.
  KeptFolds(std::filesystem::path folder, std::string run, std::string name = "fold");
  /// Nothing if it is not kept, or will be made anew as this run does not `resume`. Throws Error,
  /// naming the file, for a fold of another run, one that was changed, and for another file there.
  std::optional<FoldDone> read(std::size_t fold, std::size_t heard_counts, bool resume) const;
  void write(std::size_t fold, const FoldDone& done) const;

 private:
  std::filesystem::path file(std::size_t fold) const;

  std::filesystem::path folder_;
  std::string run_, name_;
};

/// Hash of all clips, as `hash_of_clip` takes each, and of their sound, by which folds are made; on
/// top of another.
std::uint64_t hash_of(const FeatureTable& table, std::uint64_t hash);

}  // namespace ser
