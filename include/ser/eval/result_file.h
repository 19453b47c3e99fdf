#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ser/eval/metrics.h"

namespace ser {

/// As many other clips of the speaker as there are.
inline constexpr int kAllHeard = std::numeric_limits<int>::max();

/// "4", or "all".
std::string heard_text(int heard);

/// What was scored on what: results that agree in it may be pooled.
struct ResultInfo {
  std::vector<std::string> labels;
  std::string split;        ///< name of the scheme: "speakers:6"; empty where there was none
  std::string recipe;       ///< JSON text; empty: unknown
  std::string fingerprint;  ///< of the features
  std::uint64_t seed = 0;
  /// Other clips of the speaker, without labels, that the model heard before each answer.
  int heard = 0;
  /// Scored, as asked for, on a fold that the model did not leave out.
  bool other_fold = false;
};

/// What of a test side the model was trained on: it flatters the scores.
struct TrainedOn {
  int speakers = 0;
  int clips = 0;        ///< of other speakers, or of unknown ones, told by their sound
  bool untold = false;  ///< the model does not say whom it was trained on
};

/// Predictions for the test side of one fold.
struct FoldPredictions {
  int fold = 0;
  std::vector<std::string> test_speakers;
  std::vector<Prediction> predictions;
  TrainedOn trained_on = {};
};

/// Scores of one fold.
struct FoldResult {
  int fold = 0;
  std::vector<std::string> test_speakers;
  Scores scores;
  TrainedOn trained_on = {};
};

/// Scores of the clips of one corpus, without the confusion matrix: of many corpora, and many
/// classes, it would be all there is.
struct CorpusScore {
  std::string corpus;  ///< empty: unknown
  Scores scores;
  std::optional<Intervals> ci95;
};

/// A model of some corpora, scored on another.
struct MatrixCell {
  std::vector<std::string> trained_on;
  CorpusScore tested;
};

/// What a result file holds.
struct ResultFile {
  ResultInfo info;
  Scores scores;  ///< of all predictions pooled
  std::optional<Intervals> ci95;
  std::vector<FoldResult> folds;
  std::vector<Prediction> predictions;  ///< in the order of the folds
  /// The same clips scored after more, or fewer, others of the speaker were heard.
  std::vector<ResultFile> more_heard;
  /// Each corpus alone, and all others, against each (`corpus_matrix`), where that was asked for.
  /// Written, and not read again.
  std::vector<MatrixCell> matrix;
};

/// The result of folds, sorted by number, pooled and scored: figures depend on the predictions
/// alone, not on where folds were run.
/// Throws Error for a clip that is tested twice, and as `score` does.
ResultFile make_result(const ResultInfo& info, std::vector<FoldPredictions> folds);

/// Results of the same clips after different numbers of others were heard, as one: the first.
ResultFile with_more_heard(std::vector<ResultFile> results);

/// " (nothing before the 3 of 40 clips whose speaker is unknown)", for scores after clips were
/// heard; empty where all speakers are known.
std::string describe_unheard(const ResultFile& result);

/// The scores for every number of clips heard, the result's own first; empty where nothing was.
std::vector<const ResultFile*> by_heard(const ResultFile& result);

/// "2 of 24 scored speakers were among the model's training speakers", or what else of the test
/// sides the models were trained on; empty where it is nothing.
std::string describe_trained_on(const ResultFile& result);

/// Classes that the model was not to choose in this fold: those that a corpus left out
/// (`--cv corpora`) does not share with the others; none of any other split.
std::vector<std::string> masked_classes(const ResultInfo& info, const FoldResult& fold);

/// "calm, bored (fold 0); sad (fold 1)": what was masked where; empty where nothing was.
std::string describe_masked(const ResultFile& result);

/// The answers that may be kept at the risk allowed.
KeptAnswers sure_answers(const ResultFile& result);

/// Scores by corpus, in order of their names; empty where all clips are of one.
std::vector<CorpusScore> by_corpus(const ResultFile& result);

/// Writes the result as JSON, the same bytes for the same result.
void write_result(const std::filesystem::path& path, const ResultFile& result);

/// The JSON text that `write_result` writes.
std::string result_json(const ResultFile& result);

/// Reads a result file. Predictions are taken from it; scores are computed from them again.
/// Throws Error, naming the file and what is wrong.
ResultFile read_result(const std::filesystem::path& path);

/// Folds scored apart, pooled; the same figures as if they had been scored together.
/// names: of the results, for messages. Throws Error, naming two of them, for results that differ
/// in labels, split, recipe, features, seed, clips heard or whether the models left their folds
/// out, or test the same fold or clip.
ResultFile merge_results(const std::vector<ResultFile>& results,
                         const std::vector<std::string>& names);

/// Numbers of the folds that the split has and the result lacks.
std::vector<int> missing_folds(const ResultFile& result);

/// What an ensemble of the scored models says: for each clip the mean of the results' log
/// probabilities, divided by `temperature`, then softmax, which is how `predict` pools members. A
/// recipe that tells the emotion or the gender only counts for that alone.
/// The results may be of different recipes, features and seeds; info.recipe lists their recipes,
/// info.fingerprint their features, the seed is the first one's.
/// names: of the results, for messages. Throws Error, naming two of them, for results that differ
/// in labels, split, or the clips of a fold, and for a temperature that is not above 0.
ResultFile average_results(const std::vector<ResultFile>& results,
                           const std::vector<std::string>& names, double temperature);

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

/// Compares two results clip by clip.
/// Throws Error, naming the first difference, for other clips, other truth or other classes.
Comparison compare(const ResultFile& a, const ResultFile& b);

/// The same figures as JSON; those of each result are pairs, A before B.
void write_comparison(const std::filesystem::path& path, const Comparison& comparison);

}  // namespace ser
