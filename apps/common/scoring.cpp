#include "scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "installation.h"
#include "outputs.h"
#include "progress.h"
#include "ser/core/text.h"
#include "ser/eval/corpus_matrix.h"
#include "ser/report/report.h"
#include "standard_output.h"
#include "talk.h"
#include "team.h"
#include "training.h"

namespace ser {
namespace {

double percent(double share) { return 100 * share; }

std::string interval(const std::optional<Intervals>& ci95, Interval Intervals::*which) {
  if (!ci95) return "no interval: fewer than four speakers";
  const Interval& ci = *ci95.*which;
  return fmt::format("95 % interval {:.1f} to {:.1f}", percent(ci.low), percent(ci.high));
}

void print_classes(const Scores& scores, const std::vector<std::string>& labels) {
  std::size_t width = 8;
  for (const std::string& label : labels) width = std::max(width, label.size());
  fmt::print("\n{:<{}} precision  recall   clips   taken for\n{:<{}}                          ",
             "emotion", width, "", width);
  for (const std::string& label : labels) fmt::print("{:>6.5}", label);
  fmt::print("\n");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ClassScore& row = scores.per_class[i];
    const std::string recall = row.support > 0 ? fmt::format("{:.1f} %", percent(row.recall)) : "-";
    fmt::print("{:<{}} {:>7.1f} % {:>7} {:>6}  ", labels[i], width, percent(row.precision), recall,
               row.support);
    for (std::size_t j = 0; j < labels.size(); ++j) fmt::print("{:>6}", scores.confusion(i, j));
    fmt::print("\n");
  }
}

/// Which answers may be kept, and how often those are right.
void print_certainty(const ResultFile& result) {
  const KeptAnswers sure = sure_answers(result);
  if (sure.kept == 0) {
    fmt::print("sure answers                none     at no threshold are {:.0f} % right\n",
               percent(1 - kAllowedRisk));
    return;
  }
  const double kept = static_cast<double>(sure.kept) / result.predictions.size();
  fmt::print("sure answers               {:5.1f} %   those of {:.2f} and more, {:.0f} % right\n",
             percent(kept), sure.from, percent(1 - sure.risk()));
}

void print_corpora(const ResultFile& result) {
  const std::vector<CorpusScore> corpora = by_corpus(result);
  if (corpora.empty()) return;
  fmt::print("\n");
  for (const CorpusScore& corpus : corpora)
    fmt::print("{:<12} {:>6} clips   UAR {:5.1f} %   {}\n",
               corpus.corpus.empty() ? "unknown" : corpus.corpus, corpus.scores.n,
               percent(corpus.scores.uar), interval(corpus.ci95, &Intervals::uar));
}

void print_matrix(const ResultFile& result) {
  if (result.matrix.empty()) return;
  const MatrixTable table = matrix_table(result);
  fmt::print("\n{:<16}", "UAR, trained on");
  for (const std::string& corpus : table.tested_on) fmt::print("{:>14.13}", corpus);
  fmt::print("   scored, over the classes in common\n");
  for (const MatrixTable::Row& row : table.rows) {
    fmt::print("{:<16.15}", row.trained_on);
    for (const CorpusScore* tested : row.cells)
      fmt::print("{:>14}", tested ? fmt::format("{:.1f} %", percent(tested->scores.uar)) : "");
    fmt::print("\n");
  }
}

/// A row for each number of clips heard; those of strangers' voices are told from the others.
void print_heard(const ResultFile& result) {
  const std::vector<const ResultFile*> rows = by_heard(result);
  if (rows.empty()) return;
  fmt::print("\nclips heard      UAR   95 % interval    gender   calibration error\n");
  for (const ResultFile* row : rows) {
    const Scores& scores = row->scores;
    const std::string gender = std::isnan(scores.gender_accuracy)
                                   ? ""
                                   : fmt::format("{:.1f} %", percent(scores.gender_accuracy));
    const std::string uar = row->ci95 ? fmt::format("{:.1f} to {:.1f}", percent(row->ci95->uar.low),
                                                    percent(row->ci95->uar.high))
                                      : "none";
    fmt::print("{:>9} {} {:>6.1f} %   {:<13} {:>9} {:>19.3f}\n", heard_text(row->info.heard),
               row->info.heard > 0 ? "*" : " ", percent(scores.uar), uar, gender, scores.ece);
  }
  fmt::print(
      "* up to so many other clips of the speaker were heard first, without their labels{}{}\n",
      describe_unheard(result),
      result.info.heard > 0
          ? fmt::format(": all figures but these are after {}", heard_text(result.info.heard))
          : "");
}

void print_speakers(const Scores& scores) {
  if (scores.per_speaker.size() < 2) return;
  double sum = 0, square = 0;
  const SpeakerScore *worst = &scores.per_speaker[0], *best = worst;
  for (const SpeakerScore& speaker : scores.per_speaker) {
    sum += speaker.accuracy;
    square += speaker.accuracy * speaker.accuracy;
    if (speaker.accuracy < worst->accuracy) worst = &speaker;
    if (speaker.accuracy > best->accuracy) best = &speaker;
  }
  const double n = scores.per_speaker.size();
  const double spread = std::sqrt(std::max(0.0, square / n - (sum / n) * (sum / n)));
  fmt::print(
      "\n{} speakers: accuracy spreads by {:.1f} points, from {:.1f} % ({}) to {:.1f} % ({})\n",
      scores.per_speaker.size(), percent(spread), percent(worst->accuracy), worst->speaker,
      percent(best->accuracy), best->speaker);
}

void print_scores(const ResultFile& result) {
  const Scores& scores = result.scores;
  fmt::print("{} clips{}{}{}\n\n", scores.n, result.info.split.empty() ? "" : ", ",
             result.info.split,
             result.info.other_fold ? ", not what the model left out in training" : "");
  if (const std::string masked = describe_masked(result); !masked.empty())
    fmt::print("classes not in common, masked: {}\n\n", masked);
  fmt::print("unweighted average recall  {:5.1f} %   {}\n", percent(scores.uar),
             interval(result.ci95, &Intervals::uar));
  fmt::print("accuracy                   {:5.1f} %   {}\n", percent(scores.accuracy),
             interval(result.ci95, &Intervals::accuracy));
  fmt::print("macro F1                   {:5.1f} %\n", percent(scores.macro_f1));
  if (!std::isnan(scores.gender_accuracy))
    fmt::print("gender accuracy            {:5.1f} %\n", percent(scores.gender_accuracy));
  fmt::print("calibration error          {:5.3f}     best temperature {:.2f}\n", scores.ece,
             scores.best_temperature);
  print_certainty(result);
  print_corpora(result);
  print_matrix(result);
  print_heard(result);
  print_classes(scores, result.info.labels);
  print_speakers(scores);
  if (result.folds.size() < 2) return;
  fmt::print("\n");
  for (const FoldResult& fold : result.folds)
    fmt::print("fold {:<3} {:>5} clips   UAR {:5.1f} %   accuracy {:5.1f} %\n", fold.fold,
               fold.scores.n, percent(fold.scores.uar), percent(fold.scores.accuracy));
}

void print_comparison(const Comparison& comparison, const std::string& a, const std::string& b) {
  fmt::print(
      "{} clips\nA {}: UAR {:.1f} %, accuracy {:.1f} %\nB {}: UAR {:.1f} %, accuracy {:.1f} %\n",
      comparison.n, a, percent(comparison.uar_a), percent(comparison.accuracy_a), b,
      percent(comparison.uar_b), percent(comparison.accuracy_b));
  fmt::print("right in A alone {}, in B alone {}\n", comparison.only_a_right,
             comparison.only_b_right);
  fmt::print("UAR of B minus A: {:+.1f} points", percent(comparison.uar_difference));
  if (comparison.ci95_uar_difference)
    fmt::print(", 95 % interval {:+.1f} to {:+.1f}", percent(comparison.ci95_uar_difference->low),
               percent(comparison.ci95_uar_difference->high));
  if (comparison.units < 2)
    fmt::print("\none speaker: no sign to flip\n");
  else
    fmt::print("\nsign flips over {} {}: p = {:.3g}\n", comparison.units,
               comparison.by_speaker ? "speakers" : "speakers and clips of unknown speakers",
               comparison.sign_flip_p);
}

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

report::Report score_model(const ScoringFlags& options, const Flags& flags,
                           const CommonOptions& common) {
  const std::vector<int> heard = heard_counts(options);
  const Model model = read_model(find_model(options.model));
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
      talk::warn("{}: {}", options.features[0], left_out);
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
  if (options.report.empty()) return result_alone(report::ReportKind::kModel, std::move(result));
  return report::model_report(views, fold, std::move(result));
}

report::Report score_folds(const ScoringFlags& options, const CommonOptions& common, Team& team) {
  if (options.fold != kUnsetInt) throw UsageError("--train scores every fold: --fold has no place");
  const SplitScheme scheme = split_scheme(options.cv.empty() ? "speakers:6" : options.cv);
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
  if (options.resume && !std::filesystem::exists(options.checkpoint))
    talk::info("{}: no fold is kept there, all are trained", options.checkpoint);
  const int processes = team.size(), fold_count = folds.size();
  const int trainings = (fold_count + processes - 1) / processes * (options.matrix ? 2 : 1);
  TrainingProgress progress(trainings * recipe.members, common.quiet);
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
void compare_results(const std::vector<std::string>& files) {
  const std::vector<ResultFile> results = read_results(files);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (const std::string known = describe_trained_on(results[i]); !known.empty())
      talk::warn("{}: {}: the score flatters", files[i], known);
    if (results[i].info.other_fold)
      talk::warn("{}: a fold that the model did not leave out in training", files[i]);
  }
  const int heard_a = results[0].info.heard, heard_b = results[1].info.heard;
  if (heard_a != heard_b)
    talk::warn("A is scored after {} clips heard of the speaker, B after {}", heard_text(heard_a),
               heard_text(heard_b));
  print_comparison(compare(results[0], results[1]), files[0], files[1]);
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
  v.field("fold", fold, "Score --model on this fold alone (from 0)", Range{0, 1e6});
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
  v.field("output", output, "Result file to write (JSON)");
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
  if (!options.compare.empty()) {
    flags.refuse({"output"}, "--compare prints what it finds, it has no place");
    if (!options.report.empty())
      throw UsageError("--compare: --report shows one result, it has no place");
  }
  check_outputs(
      {{"-o", options.output, FileKind::kResult}, {"--report", options.report, FileKind::kPage}},
      files_read(options));
  if (team.rank() > 0 && options.train.empty()) return;  // one process is enough
  say_if_others_end(team, options.checkpoint.empty()
                              ? "nothing of it is kept"
                              : "what is done is in " + options.checkpoint + ", --resume goes on");
  if (!options.compare.empty()) return compare_results(options.compare);
  const report::Report report = scored(options, flags, common, team);
  if (team.rank() > 0) return;
  print_scores(*report.result);
  flush_stdout();
  if (!options.output.empty()) write_result(options.output, *report.result);
  if (!options.report.empty()) report::write_report(options.report, report);
}

}  // namespace ser
