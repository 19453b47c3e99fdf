#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/corpus/split.h"
#include "ser/corpus/utterance.h"
#include "ser/eval/result_file.h"
#include "ser/model/model.h"
#include "ser/train/trainer.h"

namespace ser {

/// The epochs of one network, in order.
struct LearningCurve {
  int fold = 0;
  int member = 0;
  std::vector<EpochReport> epochs;
};

/// Gathers what observers learn after each epoch. Safe to call from any thread; the curves do not
/// depend on the order of the calls for different networks.
class LearningLog {
 public:
  void add(int fold, const EpochReport& report);
  /// By fold, then by member.
  std::vector<LearningCurve> curves() const;

 private:
  std::map<std::pair<int, int>, std::vector<EpochReport>> epochs_;
  mutable std::mutex mutex_;
};

/// Numbers of clips heard, from a list like "0,1,4,16,all", in its order.
/// Throws Error for anything else and for a number that is there twice.
std::vector<int> parse_heard(std::string_view text);

/// What a model hears, without labels, before it answers for each of the clips at `scored`: `count`
/// other clips of the same speaker among them, or all there are if they are fewer; never the same
/// recording, and none for a clip without a speaker. Drawn with `seed` alike wherever the speaker's
/// clips are scored together; those of a smaller count are among those of a larger one.
HeardClips draw_heard(const std::vector<Utterance>& clips, const std::vector<int>& scored,
                      int count, std::uint64_t seed);

/// How a model is asked.
struct Asking {
  /// Places, among the clips asked about, of those that it hears before each (`draw_heard`).
  HeardClips heard = {};
  /// Classes of the answers; empty: the model's. One that the model does not know is never
  /// answered.
  std::vector<std::string> labels = {};
  /// Classes that it may choose from; empty: all it knows.
  std::vector<std::string> allowed = {};
};

/// The classes that the test side of a fold may be taken for; empty: any. A corpus left out is
/// tested on those that the others have too.
std::vector<std::string> classes_in_common(const std::string& split,
                                           const std::vector<Utterance>& clips,
                                           const std::vector<int>& test);

/// The clips of the first table at `indices`, with what the model says of them. tables: one for
/// each feature set that the model reads; clips are told apart by corpus and path.
/// Throws Error for a clip without an emotion or with one that is none of the labels, and for one
/// that another table lacks.
std::vector<Prediction> evaluate(const Model& model, const std::vector<const FeatureTable*>& tables,
                                 const std::vector<int>& indices, int threads,
                                 const Asking& asking = {});

/// The model's result on the test side of a fold, whose clips are those of the first table.
/// split, number: of the fold, where it is one of several: then the classes are those of the table
/// and the model's, else the model's alone. heard: numbers of other clips of the
/// speaker to hear first, drawn with the model's seed; the result is that of the first number, the
/// others are its `more_heard`. Throws Error as `evaluate` does, and if there is something to hear
/// for a model that does not listen.
ResultFile score_model(const Model& model, const std::vector<const FeatureTable*>& tables,
                       const Fold& fold, int threads, const std::string& split = "", int number = 0,
                       const std::vector<int>& heard = {0});

/// Classes of a fold's test side that the model does not have.
std::vector<std::string> unknown_classes(const Model& model, const std::vector<Utterance>& clips,
                                         const Fold& fold);

/// Takes the clips whose emotion is none of the model's out of the test side: nobody asked the
/// model for it. A sentence about them; empty where there are none. Throws Error if none is left.
std::string leave_out_unknown_classes(const Model& model, const std::vector<Utterance>& clips,
                                      Fold& fold);

/// A sentence about the classes that the training side of some folds lacks, whose clips are missed
/// there; empty where there are none. Throws Error for a fold that trains on fewer than two
/// classes.
std::string missing_classes(const std::vector<Utterance>& clips, const std::vector<Fold>& folds);

/// Why fold `number` of a scheme, drawn with `seed`, is not the one that the model left out; empty
/// if it is, and if it tests none but speakers that the model was not trained on. A fold of that
/// name is another one where the model was trained on some of its speakers (of `random:K`: clips).
std::string not_left_out(const Model& model, const std::vector<Utterance>& clips, const Fold& fold,
                         const SplitScheme& scheme, int number, std::uint64_t seed);

/// What of a fold's test side the model was trained on. Names without a corpus, of older models,
/// mean the speakers of any; models that tell no recordings are asked for speakers alone. Folds of
/// a split `random:K` share speakers, as such folds do: their recordings count, not their speakers.
TrainedOn trained_on(const Model& model, const std::vector<Utterance>& clips, const Fold& fold,
                     const std::string& split = {});

/// The answers that may be kept at a risk, for speakers that a model was not trained on.
struct Certainty {
  KeptAnswers sure;
  std::size_t speakers = 0;  ///< held out
  std::size_t clips = 0;     ///< of theirs, all answered with nothing heard before
};

/// At which probability the answers of `model`, trained on `data` by `run`, are to be called
/// uncertain, so that at most a share `risk` of the others is wrong: chosen on the validation
/// speakers, where there are none on speakers held out of a training of its own.
/// Throws Error where there are too few speakers to hold one out, and as `train` does.
Certainty choose_certainty(const TrainingData& data, const Recipe& recipe, const Model& model,
                           const RunOptions& run, double risk = kAllowedRisk);

/// Called from several threads, with the fold's number.
using FoldObserver = std::function<void(int fold, const EpochReport&)>;
/// Where each fold of a cross-validation is kept when it is done.
struct KeepFolds {
  std::filesystem::path folder = {};  ///< empty: nowhere
  bool resume = false;                ///< take the folds that are there, and go on from them
};

/// What a cross-validation gives.
struct CrossValidation {
  ResultFile result;
  std::vector<LearningCurve> curves;
};

/// Trains on the other folds and scores each fold, folds in parallel and dealt to the team, all of
/// which knows them afterwards. Fold k draws from Rng(seed, k), so folds run one by one give the
/// same figures. The classes are the table's: clips of one that a training side lacks are missed. A
/// corpus left out is scored on the classes in common, among which alone the model chooses. heard:
/// as for `score_model`, drawn with `seed`. keep: nothing depends on what of it was there. Throws
/// Error if there is something to hear for a recipe that does not listen, and for folds kept of
/// another cross-validation.
CrossValidation cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                               const Recipe& recipe, std::uint64_t seed, int threads,
                               const FoldObserver& observer = {},
                               const std::vector<int>& heard = {0}, Team& team = alone(),
                               const KeepFolds& keep = {});

}  // namespace ser
