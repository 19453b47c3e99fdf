#include "scoring.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "installation.h"
#include "outputs.h"
#include "progress.h"
#include "score_output.h"
#include "ser/core/text.h"
#include "ser/eval/corpus_matrix.h"
#include "ser/report/report.h"
#include "standard_output.h"
#include "talk.h"
#include "team.h"
#include "training.h"

namespace ser {
namespace {

std::vector<int> heard_counts(const ScoringFlags& options) {
  return from_flag("--heard", [&] { return parse_heard(options.heard); });
}

report::Report result_alone(report::ReportKind kind, ResultFile result) {
  report::Report report;
  report.kind = kind;
  report.recipe = result.info.recipe;
  report.result = std::move(result);
  return report;
}

/// Whether --cv and --fold ask for another fold than the model left out: only by --other-fold.
bool asks_for_other_fold(const ScoringFlags& options, const Model& model,
                         const std::vector<Utterance>& clips, const Fold& fold,
                         std::uint64_t seed) {
  if (options.cv.empty()) {
    if (options.other_fold) throw UsageError("--other-fold: expected --cv and --fold");
    return false;
  }
  const std::string why =
      not_left_out(model, clips, fold, split_scheme(options.cv), options.fold, seed);
  if (!why.empty() && !options.other_fold)
    throw Error(why + "; --other-fold scores it all the same, and marks the result");
  return !why.empty();
}

/// cure: what else to score.
void warn_of_trained_on(const ResultFile& result, const std::string& cure = "") {
  if (const std::string known = describe_trained_on(result); !known.empty())
    talk::warn("{}: the score flatters{}", known, cure);
}

/// For clips of no fold: those of the fold that the model left out would be unheard.
std::string fold_left_out(const ScoringFlags& options, const TrainingInfo& training) {
  if (training.split.empty() || !options.cv.empty()) return "";
  return fmt::format("; --cv {} --fold {} are those that it left out", training.split,
                     training.fold);
}

report::Report score_model(ScoringFlags options, const Flags& flags, const CommonOptions& common) {
  const std::vector<int> heard = heard_counts(options);
  const Model model = read_model(find_model(options.model));
  if (options.cv.empty() && options.fold != kUnsetInt)
    options.cv = model.training.split.empty() ? kUsualSplit : model.training.split;
  const std::vector<FeatureTable> tables =
      read_tables_by_set({options.features.begin(), options.features.end()});
  warn_of_files(tables[0]);
  std::vector<const FeatureTable*> views;
  for (const FeatureTable& table : tables) views.push_back(&table);
  const std::uint64_t seed =
      flags.given("seed") ? static_cast<std::uint64_t>(common.seed) : model.training.seed;
  Fold fold = chosen_fold(tables[0].clips, options.cv, options.fold, seed);
  const bool other = asks_for_other_fold(options, model, tables[0].clips, fold, seed);
  if (options.cv.empty()) {
    if (const std::string left_out = leave_out_unknown_classes(model, tables[0].clips, fold);
        !left_out.empty())
      talk::warn("{}: {}", join(options.features, ", "), left_out);
  } else if (const std::vector<std::string> unknown = unknown_classes(model, tables[0].clips, fold);
             !unknown.empty()) {
    talk::warn("tested but none of the model's classes, so missed: {}", join(unknown, ", "));
  }
  ResultFile result = with_context(join(options.features, ", "), [&] {
    return score_model(model, views, fold, common.threads, options.cv,
                       options.cv.empty() ? 0 : options.fold, heard);
  });
  warn_of_trained_on(result, fold_left_out(options, model.training));
  result.info.other_fold = other;
  if (other) result.info.seed = seed;
  if (options.report.empty()) return result_alone(report::ReportKind::kModel, std::move(result));
  return report::model_report(views, fold, std::move(result));
}

report::Report score_folds(const ScoringFlags& options, const CommonOptions& common, Team& team) {
  if (options.fold != kUnsetInt) throw UsageError("--train scores every fold: --fold has no place");
  const SplitScheme scheme = split_scheme(options.cv.empty() ? kUsualSplit : options.cv);
  if (options.matrix && scheme.kind != SplitScheme::Kind::kCorpora)
    throw UsageError("--matrix: expected --cv corpora");
  const std::vector<int> heard = heard_counts(options);
  const Recipe recipe = load_recipe(options.train);
  const FeatureTable table =
      read_feature_tables({options.features.begin(), options.features.end()});
  warn_of_files(table);
  const std::uint64_t seed = common.seed;
  const std::vector<Fold> folds = make_folds(table.clips, scheme, seed);
  warn_of_split(table.clips, scheme);
  if (const std::string missing = missing_classes(table.clips, folds); !missing.empty())
    talk::warn("{}: {}", scheme.name(), missing);
  const auto cannot_stop = [&](const Fold& fold) {
    return hold_out_validation(table.clips, fold.train, seed, 0).validation.empty();
  };
  if (recipe.training.early_stopping.enabled && std::ranges::any_of(folds, cannot_stop))
    warn_of_no_validation(recipe);
  std::error_code none;
  const bool kept = !std::filesystem::is_empty(options.checkpoint, none) && !none;
  if (options.resume && !kept)
    talk::info("{}: no fold is kept there, all are trained", options.checkpoint);
  if (!options.resume && kept)
    talk::warn("{}: what is kept there is replaced; --resume would go on from it",
               options.checkpoint);
  const int processes = team.size(), fold_count = folds.size();
  const int trainings =
      (fold_count + processes - 1) / processes * (options.matrix && fold_count > 2 ? 2 : 1);
  TrainingProgress progress(trainings, recipe.members, common.quiet);
  const KeepFolds keep{options.checkpoint, options.resume};
  CrossValidation done = cross_validate(
      table, scheme, recipe, seed, common.threads,
      [&](int fold, const EpochReport& epoch) {
        progress.on_epoch(fmt::format("fold {}", fold), epoch);
      },
      heard, team, keep);
  if (options.matrix)
    done.result.matrix = corpus_matrix(
        table, done.result, recipe, seed, common.threads,
        [&](const std::string& corpus, const EpochReport& epoch) {
          progress.on_epoch(corpus + " alone", epoch);
        },
        heard[0], team, keep);
  return report::cross_validation_report(std::move(done), table);
}

std::vector<ResultFile> read_results(const std::vector<std::string>& files) {
  std::vector<ResultFile> results;
  for (const std::string& file : files) results.push_back(read_result(file));
  return results;
}

report::Report merge(const std::vector<std::string>& files) {
  ResultFile result = merge_results(read_results(files), files);
  if (const std::vector<int> missing = missing_folds(result); !missing.empty())
    talk::warn("{}: folds {} are missing", result.info.split, fmt::join(missing, ", "));
  warn_of_trained_on(result);
  return result_alone(report::ReportKind::kMerged, std::move(result));
}

report::Report average(const ScoringFlags& options) {
  ResultFile result =
      average_results(read_results(options.average), options.average, options.temperature);
  warn_of_trained_on(result);
  return result_alone(report::ReportKind::kAveraged, std::move(result));
}

/// Prints how two results compare, and says first what makes one of them no match for the other.
void compare_results(const std::vector<std::string>& files, const std::string& output) {
  const std::vector<ResultFile> results = read_results(files);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (const std::string known = describe_trained_on(results[i]); !known.empty())
      talk::warn("{}: {}: the score flatters", files[i], known);
    if (results[i].info.other_fold)
      talk::warn("{}: a fold that the model did not leave out in training", files[i]);
  }
  const std::string &split_a = results[0].info.split, &split_b = results[1].info.split;
  if (split_a != split_b)
    talk::warn("A is scored on folds of {}, B on those of {}",
               split_a.empty() ? "its own" : split_a, split_b.empty() ? "its own" : split_b);
  const int heard_a = results[0].info.heard, heard_b = results[1].info.heard;
  if (heard_a != heard_b)
    talk::warn("A is scored after {} clips heard of the speaker, B after {}", heard_text(heard_a),
               heard_text(heard_b));
  const Comparison comparison = compare(results[0], results[1]);
  print_then_write([&] { print_comparison(comparison, files[0], files[1]); },
                   [&] {
                     if (!output.empty()) write_comparison(output, comparison);
                   });
}

report::Report scored(const ScoringFlags& options, const Flags& flags, const CommonOptions& common,
                      Team& team) {
  if (!options.merge.empty()) return merge(options.merge);
  if (!options.average.empty()) return average(options);
  if (options.features.empty()) throw UsageError("expected a feature file");
  return options.model.empty() ? score_folds(options, common, team)
                               : score_model(options, flags, common);
}

std::vector<std::string> files_read(const ScoringFlags& options) {
  std::vector<std::string> files = {options.model, options.train};
  for (const auto* list : {&options.features, &options.merge, &options.average, &options.compare})
    files.insert(files.end(), list->begin(), list->end());
  return files;
}

}  // namespace

void ScoringFlags::visit(FieldVisitor& v) {
  v.field("model", model, "Score this model: a file, or the name of a shipped one");
  v.field("train", train,
          join(recipe_preset_names(), "|") +
              " or a recipe file: train it on the other folds and score each");
  v.field(
      "cv", cv,
      "Split scheme: speakers:K, luna, loso, random:K, actors:A-B, corpora (--train: speakers:6)");
  v.field("fold", fold, "Score --model on this fold alone (from 0), of --cv or of its own split",
          Range{0, 1e6});
  v.field("other_fold", other_fold,
          "Score --model on a fold that it did not leave out in training; the result is marked");
  v.field("matrix", matrix,
          "With --cv corpora: also train on each corpus alone and score it on each other");
  v.field("heard", heard,
          "Other clips of the speaker, without labels, that the model hears first: 0,4,16,all; "
          "nothing before clips of unknown speakers");
  v.field("temperature", temperature, "Divides the mean log probabilities of --average",
          Range{0.01, 100});
  v.field(
      "checkpoint", checkpoint,
      "With --train: a folder in which each fold, or corpus of --matrix, is kept when it is done");
  v.field("resume", resume, "Go on from what is kept in --checkpoint");
  v.field("output", output, "Result file to write, or of --compare its figures (JSON)");
  v.field("report", report, "Report to write (HTML): scores, learning curves, mistakes");
}

void evaluate(const ScoringFlags& options, const Flags& flags, const CommonOptions& common,
              Team& team) {
  const int modes = !options.model.empty() + !options.train.empty() + !options.merge.empty() +
                    !options.average.empty() + !options.compare.empty();
  if (modes != 1)
    throw UsageError("expected one of --model, --train, --merge, --average and --compare");
  if (options.average.empty())
    flags.refuse({"temperature"}, "expected --average; a recipe has its own");
  if (options.matrix && options.train.empty()) throw UsageError("--matrix: expected --train");
  if (options.train.empty()) flags.refuse({"checkpoint", "resume"}, "expected --train");
  if (options.resume && options.checkpoint.empty())
    throw UsageError("--resume: expected --checkpoint, a folder");
  if (options.other_fold && options.model.empty())
    throw UsageError("--other-fold: expected --model");
  if (options.model.empty() && options.train.empty()) {
    flags.refuse({"cv", "fold", "heard"},
                 "expected --model or --train; results say how they were scored");
    if (!options.features.empty())
      throw UsageError("expected result files alone, found a feature file, too");
  }
  if (!options.compare.empty())
    flags.refuse({"report"}, "it shows one result, with --compare it has no place");
  check_outputs(
      {{"-o", options.output, FileKind::kResult}, {"--report", options.report, FileKind::kPage}},
      files_read(options));
  if (team.rank() > 0 && options.train.empty()) return;  // one process is enough
  say_if_others_end(team, options.checkpoint.empty()
                              ? "nothing of it is kept"
                              : "what is done is in " + options.checkpoint + ", --resume goes on");
  if (!options.compare.empty()) return compare_results(options.compare, options.output);
  const report::Report report = scored(options, flags, common, team);
  if (team.rank() > 0) return;
  print_then_write([&] { print_scores(*report.result); },
                   [&] {
                     if (!options.output.empty()) write_result(options.output, *report.result);
                     if (!options.report.empty()) report::write_report(options.report, report);
                   });
}

}  // namespace ser
