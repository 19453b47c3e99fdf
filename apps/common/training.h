#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "ser/core/team.h"
#include "ser/corpus/feature_table.h"
#include "ser/corpus/split.h"
#include "ser/model/model.h"
#include "ser/train/trainer.h"

namespace ser {

struct TrainingFlags {
  std::vector<std::string> inputs;
  std::vector<std::string> combine;
  std::string output;
  std::string exported;
  std::string model = "mlp";
  std::string recipe;
  std::string cv;
  int fold = kUnsetInt;
  int epochs = kUnsetInt;
  int batch_size = kUnsetInt;
  double learning_rate = kUnsetNumber;
  std::string search;
  int trials = 27;
  std::string shard;
  std::string checkpoint;
  bool resume = false;
  WeightFormat weights = WeightFormat::kF32;
  double temperature = 1;
  double heard_temperature = kUnsetNumber;
  double risk = kUnsetNumber;
  double uncertain_below = kUnsetNumber;
  std::string report;
  bool describe = false;

  void visit(FieldVisitor& v);
};

/// Trains, combines, searches or describes, as the flags say. Throws UsageError for flags that do
/// not go together.
void train(const TrainingFlags& flags, const Flags& given, const CommonOptions& common, Team& team);

/// Result of `work()`, which is saved in `file`; where it is stopped, an Error says how to go on.
template <typename Work>
auto explain_stop(std::string_view what, const std::string& file, const Work& work) {
  try {
    return work();
  } catch (const Stopped&) {
    fail("interrupted; the {} is saved in {}, go on with the same command and --resume", what,
         file);
  }
}

/// Warns where --resume finds nothing to go on from. Throws UsageError for it without --checkpoint.
void check_resume(const TrainingFlags& flags);

/// The split of a fold where --cv names none.
inline constexpr const char* kUsualSplit = "speakers:6";

/// The split that --cv names. Throws UsageError for one that is none.
SplitScheme split_scheme(const std::string& cv);

/// Warns of what several feature files have in common.
void warn_of_files(const FeatureTable& table);

/// Warns of what the scheme does on these clips: speakers that leak, absent actors.
void warn_of_split(const std::vector<Utterance>& clips, const SplitScheme& scheme);

/// Warns that no speaker can be held out to stop on.
void warn_of_no_validation(const Recipe& recipe);

/// The fold that --cv and --fold name, with the warnings of the split; the whole corpus without
/// them. Throws UsageError for --cv without --fold, and for a fold that is not there.
Fold chosen_fold(const std::vector<Utterance>& clips, const std::string& cv, int fold,
                 std::uint64_t seed);

}  // namespace ser
