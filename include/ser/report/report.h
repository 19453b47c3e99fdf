#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ser/corpus/survey.h"
#include "ser/corpus/utterance.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/result_file.h"
#include "ser/eval/search.h"

namespace ser::report {

/// Where the models behind a report come from, which decides what may be said of its scores.
enum class ReportKind {
  kCrossValidation,  ///< one model a fold, trained on the others and scored in this run
  kModel,            ///< a model given, trained earlier
  kMerged,           ///< results of folds, read from files
  kAveraged,         ///< results of several models, read from files and pooled clip by clip
  kTraining,         ///< a training run; its scores are those of the validation speakers
};

/// What a report tells. What is empty is left out, with a word where a reader would miss it.
struct Report {
  ReportKind kind = ReportKind::kCrossValidation;
  std::optional<ResultFile> result;
  std::string recipe;            ///< JSON
  std::string features;          ///< in words
  std::vector<Utterance> clips;  ///< trained on or scored, copies included; empty: the result's
  std::string left_out;          ///< kTraining: "fold 3 of speakers:6"; empty: nothing
  std::vector<LearningCurve> curves;
};

/// What there is to tell of a cross-validation on `table`.
Report cross_validation_report(CrossValidation run, const FeatureTable& table);

/// What there is to tell of a model that `score_model` gave this result on a fold of the tables.
Report model_report(const std::vector<const FeatureTable*>& tables, const Fold& fold,
                    ResultFile result);

/// What there is to tell of a training run, with what the model says of the validation speakers,
/// if there are any.
Report training_report(const TrainingData& data, const Recipe& recipe, const Model& model,
                       std::vector<LearningCurve> curves, int threads);

/// The report as one HTML page that needs no other file and no network. Its figures are those of
/// `result_json`, which it carries, predictions left out, in the element with the id "figures".
std::string report_html(const Report& report);

/// Writes the page, the file whole or not at all.
void write_report(const std::filesystem::path& path, const Report& report);

/// A search as one HTML page that needs no other file and no network: the flattered score beside
/// the nested one, what mattered, how the best score grew with the trials, and the best of them.
/// Its figures are those of `search_json`, which it carries in the element with the id "figures".
std::string search_html(const SearchResult& result);

/// A survey as one HTML page that needs no other file and no network: counts, and how duration,
/// level and pitch are distributed over emotions and genders. Its figures are those of
/// `survey_summary_json`, which it carries in the element with the id "figures".
std::string survey_html(const Survey& survey);

}  // namespace ser::report
