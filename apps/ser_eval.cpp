#include <fmt/format.h>

#include <utility>

#include "common/command.h"
#include "common/default_model.h"
#include "common/folds.h"
#include "common/outputs.h"
#include "common/score_table.h"
#include "common/talk.h"
#include "common/team.h"
#include "common/training_progress.h"
#include "ser/core/text.h"
#include "ser/eval/average.h"
#include "ser/eval/compare.h"
#include "ser/eval/corpus_matrix.h"
#include "ser/eval/heard.h"
#include "ser/report/report.h"

namespace {

constexpr const char* kExamples =
    "  ser-eval features.safetensors --cv speakers:6 --train mlp --report report.html\n"
    "  ser-eval features.safetensors --model fold3.json --cv speakers:6 --fold 3 -o r3.json\n"
    "  ser-eval --average mlp.json cnn.json -o ensemble.json\n"
    "  ser-eval --merge r0.json r1.json r2.json -o results.json\n"
    "  ser-eval --compare a.json b.json\n";

struct Options {
  std::vector<std::string> features;
  std::vector<std::string> merge;
  std::vector<std::string> average;
  std::vector<std::string> compare;
  std::string model;
  std::string train;
  std::string cv;
  int fold = ser::kUnsetInt;
  bool other_fold = false;
  bool matrix = false;
  std::string heard = "0";
  double temperature = 1;
  std::string output;
  std::string report;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Score this model: a file, or the name of a shipped one");
    v.field("train", train,
            ser::join(ser::recipe_preset_names(), "|") +
                " or a recipe file: train it on the other folds and score each");
    v.field("cv", cv,
            "Split scheme: speakers:K, luna, loso, random:K, actors:A-B, corpora (--train: "
            "speakers:6)");
    v.field("fold", fold, "Score --model on this fold alone (from 0)", ser::Range{0, 1e6});
    v.field("other_fold", other_fold,
            "Score --model on a fold that it did not leave out in training; the result is marked");
    v.field("matrix", matrix,
            "With --cv corpora: also train on each corpus alone and score it on each other");
    v.field("heard", heard,
            "Other clips of the speaker, without labels, that the model hears first: 0,4,16,all");
    v.field("temperature", temperature, "Divides the mean log probabilities of --average",
            ser::Range{0.01, 100});
    v.field("output", output, "Result file to write (JSON)");
    v.field("report", report, "Report to write (HTML): scores, learning curves, maps, mistakes");
  }
};

std::vector<int> heard_counts(const Options& options) {
  return ser::from_flag("--heard", [&] { return ser::parse_heard(options.heard); });
}

ser::report::Report result_alone(ser::report::ReportKind kind, ser::ResultFile result) {
  ser::report::Report report;
  report.kind = kind;
  report.recipe = result.info.recipe;
  report.result = std::move(result);
  return report;
}

/// Whether --cv and --fold ask for another fold than the model left out: only by --other-fold.
bool asks_for_other_fold(const Options& options, const ser::Model& model,
                         const std::vector<ser::Utterance>& clips, const ser::Fold& fold,
                         std::uint64_t seed) {
  if (options.cv.empty()) {
    if (options.other_fold) throw ser::UsageError("--other-fold: expected --cv and --fold");
    return false;
  }
  const std::string why =
      ser::not_left_out(model, clips, fold, ser::split_scheme(options.cv), options.fold, seed);
  if (!why.empty() && !options.other_fold)
    throw ser::Error(why + "; --other-fold scores it all the same, and marks the result");
  return !why.empty();
}

/// cure: what else to score.
void warn_of_trained_on(const ser::ResultFile& result, const std::string& cure = "") {
  if (const std::string known = ser::describe_trained_on(result); !known.empty())
    ser::talk::warn("{}: the score flatters{}", known, cure);
}

std::string fold_left_out(const ser::TrainingInfo& training) {
  if (training.split.empty()) return "";
  return fmt::format("; --cv {} --fold {} are those that it left out", training.split,
                     training.fold);
}

ser::report::Report score_model(const Options& options, const ser::Flags& flags,
                                const ser::CommonOptions& common) {
  const std::vector<int> heard = heard_counts(options);
  const ser::Model model = ser::read_model(ser::find_model(options.model));
  const std::vector<ser::FeatureTable> tables =
      ser::read_tables_by_set({options.features.begin(), options.features.end()});
  std::vector<const ser::FeatureTable*> views;
  for (const ser::FeatureTable& table : tables) views.push_back(&table);
  const std::uint64_t seed =
      flags.given("seed") ? static_cast<std::uint64_t>(common.seed) : model.training.seed;
  ser::Fold fold = ser::chosen_fold(tables[0].clips, options.cv, options.fold, seed);
  const bool other = asks_for_other_fold(options, model, tables[0].clips, fold, seed);
  if (options.cv.empty())
    if (const std::string left_out = ser::leave_out_unknown_classes(model, tables[0].clips, fold);
        !left_out.empty())
      ser::talk::warn("{}: {}", options.features[0], left_out);
  ser::ResultFile result = ser::with_context(ser::join(options.features, ", "), [&] {
    return ser::score_model(model, views, fold, common.threads, options.cv,
                            options.cv.empty() ? 0 : options.fold, heard);
  });
  warn_of_trained_on(result, fold_left_out(model.training));
  result.info.other_fold = other;
  if (options.report.empty())
    return result_alone(ser::report::ReportKind::kModel, std::move(result));
  return ser::report::model_report(model, views, fold, std::move(result), common.threads);
}

ser::report::Report score_folds(const Options& options, const ser::CommonOptions& common,
                                ser::Team& team) {
  if (options.fold != ser::kUnsetInt)
    throw ser::UsageError("--train scores every fold: --fold has no place");
  const ser::SplitScheme scheme = ser::split_scheme(options.cv.empty() ? "speakers:6" : options.cv);
  if (options.matrix && scheme.kind != ser::SplitScheme::Kind::kCorpora)
    throw ser::UsageError("--matrix: expected --cv corpora");
  const std::vector<int> heard = heard_counts(options);
  const ser::Recipe recipe = ser::load_recipe(options.train);
  const ser::FeatureTable table =
      ser::read_feature_tables({options.features.begin(), options.features.end()});
  const auto seed = static_cast<std::uint64_t>(common.seed);
  const std::vector<ser::Fold> folds = ser::make_folds(table.clips, scheme, seed);
  ser::warn_of_split(table.clips, scheme);
  if (const std::string missing = ser::missing_classes(table.clips, folds); !missing.empty())
    ser::talk::warn("{}: {}", scheme.name(), missing);
  const int processes = team.size(), fold_count = static_cast<int>(folds.size());
  const int trainings = (fold_count + processes - 1) / processes * (options.matrix ? 2 : 1);
  ser::TrainingProgress progress(trainings * recipe.members, common.quiet);
  ser::CrossValidation done = ser::cross_validate(
      table, scheme, recipe, seed, common.threads,
      [&](int fold, const ser::EpochReport& epoch) {
        progress.on_epoch(fmt::format("fold {}", fold), epoch);
      },
      heard, team);
  if (options.matrix)
    done.result.matrix = ser::corpus_matrix(
        table, done.result, recipe, seed, common.threads,
        [&](const std::string& corpus, const ser::EpochReport& epoch) {
          progress.on_epoch(corpus + " alone", epoch);
        },
        heard[0], team);
  return ser::report::cross_validation_report(std::move(done), table);
}

std::vector<ser::ResultFile> read_results(const std::vector<std::string>& files) {
  std::vector<ser::ResultFile> results;
  for (const std::string& file : files) results.push_back(ser::read_result(file));
  return results;
}

ser::report::Report merge(const std::vector<std::string>& files) {
  ser::ResultFile result = ser::merge_results(read_results(files), files);
  if (const std::vector<int> missing = ser::missing_folds(result); !missing.empty())
    ser::talk::warn("{}: folds {} are missing", result.info.split, fmt::join(missing, ", "));
  warn_of_trained_on(result);
  return result_alone(ser::report::ReportKind::kMerged, std::move(result));
}

ser::report::Report average(const Options& options) {
  ser::ResultFile result =
      ser::average_results(read_results(options.average), options.average, options.temperature);
  warn_of_trained_on(result);
  return result_alone(ser::report::ReportKind::kAveraged, std::move(result));
}

ser::report::Report scored(const Options& options, const ser::Flags& flags,
                           const ser::CommonOptions& common, ser::Team& team) {
  if (!options.merge.empty()) return merge(options.merge);
  if (!options.average.empty()) return average(options);
  if (options.features.empty()) throw ser::UsageError("expected a feature file");
  return options.model.empty() ? score_folds(options, common, team)
                               : score_model(options, flags, common);
}

/// Everything that a run reads.
std::vector<std::string> files_read(const Options& options) {
  std::vector<std::string> files = {options.model, options.train};
  for (const auto* list : {&options.features, &options.merge, &options.average, &options.compare})
    files.insert(files.end(), list->begin(), list->end());
  return files;
}

int evaluate(const Options& options, const ser::Flags& flags, const ser::CommonOptions& common,
             ser::Team& team) {
  const int modes = !options.model.empty() + !options.train.empty() + !options.merge.empty() +
                    !options.average.empty() + !options.compare.empty();
  if (modes != 1)
    throw ser::UsageError("expected one of --model, --train, --merge, --average and --compare");
  if (flags.given("temperature") && options.average.empty())
    throw ser::UsageError("--temperature: expected --average; a recipe has its own");
  if (options.matrix && options.train.empty()) throw ser::UsageError("--matrix: expected --train");
  if (options.other_fold && options.model.empty())
    throw ser::UsageError("--other-fold: expected --model");
  if (flags.given("heard") && options.model.empty() && options.train.empty())
    throw ser::UsageError("--heard: expected --model or --train; results say what was heard");
  ser::check_outputs({{"-o", options.output, ser::OutputKind::kResult},
                      {"--report", options.report, ser::OutputKind::kPage}},
                     files_read(options));
  if (team.rank() > 0 && options.train.empty()) return 0;  // one process is enough
  ser::say_if_others_end(team, "nothing of it is kept");
  if (!options.compare.empty()) {
    if (!options.report.empty())
      throw ser::UsageError("--compare: --report shows one result, it has no place");
    ser::print_comparison(
        ser::compare(ser::read_result(options.compare[0]), ser::read_result(options.compare[1])),
        options.compare[0], options.compare[1]);
    return 0;
  }
  const ser::report::Report report = scored(options, flags, common, team);
  if (team.rank() > 0) return 0;
  ser::print_scores(*report.result);
  ser::flush_stdout();
  if (!options.output.empty()) ser::write_result(options.output, *report.result);
  if (!options.report.empty()) ser::report::write_report(options.report, report, common.threads);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-eval", "Scores models on speakers they have not heard.", kExamples);
  command.positional(
      "FEATURES", options.features,
      "Feature files of ser-extract: of one corpus or several, of each set that a model reads",
      ser::Presence::kOptional);
  command.words("--merge", options.merge, 0, "FILE...", "Pool result files of folds scored apart",
                "Scoring");
  command.words("--average", options.average, 0, "FILE...",
                "Pool the probabilities of models scored on the same folds: an ensemble's score",
                "Scoring");
  command.words("--compare", options.compare, 2, "A B",
                "Paired test of two result files on the same clips", "Scoring");
  command.flags().alias("output", "-o");
  for (const char* field : {"output", "model", "report"}) command.flags().show_as(field, "FILE");
  command.flags().show_as("train", "RECIPE");
  command.flags().show_as("cv", "SCHEME");
  command.flags().show_as("heard", "LIST");
  command.flags().add(options, "Scoring");
  return command.run(argc, argv, [&] {
    ser::CommonOptions common = command.common();
    return ser::run_in_team(
        common, [&](ser::Team& team) { return evaluate(options, command.flags(), common, team); });
  });
}
