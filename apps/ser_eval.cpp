#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "common/command.h"
#include "common/default_model.h"
#include "common/outputs.h"
#include "common/score_table.h"
#include "common/training_progress.h"
#include "ser/core/text.h"
#include "ser/corpus/speaker.h"
#include "ser/eval/average.h"
#include "ser/eval/compare.h"
#include "ser/eval/evaluate.h"
#include "ser/features/describe.h"
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
  double temperature = 1;
  std::string output;
  std::string report;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Score this model: a file, or the name of a shipped one");
    v.field("train", train,
            ser::join(ser::recipe_preset_names(), "|") +
                " or a recipe file: train it on the other folds and score each");
    v.field("cv", cv,
            "Split scheme: speakers:K, luna, loso, random:K, actors:A-B, corpora (--train: speakers:6)");
    v.field("fold", fold, "Score --model on this fold alone (from 0)", ser::Range{0, 1e6});
    v.field("temperature", temperature, "Divides the mean log probabilities of --average",
            ser::Range{0.01, 100});
    v.field("output", output, "Result file to write (JSON)");
    v.field("report", report, "Report to write (HTML): scores, learning curves, maps, mistakes");
  }
};

ser::SplitScheme split_scheme(const std::string& text) {
  return ser::from_flag("--cv", [&] { return ser::parse_split_scheme(text); });
}

void warn_of_split(const ser::FeatureTable& table, const ser::SplitScheme& scheme) {
  for (const std::string& warning : ser::split_warnings(table.clips, scheme))
    spdlog::warn("{}", warning);
}

std::vector<std::string> speakers_of(const std::vector<ser::Utterance>& clips) {
  const std::vector<std::string> names = ser::speaker_names(clips);
  std::set<std::string> speakers(names.begin(), names.end());
  speakers.erase("");
  return {speakers.begin(), speakers.end()};
}

/// Scored speakers that the model has heard, with a warning: scores on their clips mean little.
int count_known_speakers(const ser::Model& model, const ser::FoldPredictions& fold) {
  const auto& known = model.training.speakers;
  const auto heard = std::count_if(fold.test_speakers.begin(), fold.test_speakers.end(),
                                   [&](const std::string& speaker) {
                                     return std::binary_search(known.begin(), known.end(), speaker);
                                   });
  if (heard > 0)
    spdlog::warn(
        "{} of {} scored speakers were among the model's training speakers: the score "
        "flatters",
        heard, fold.test_speakers.size());
  return static_cast<int>(heard);
}

ser::FoldPredictions clips_to_score(const ser::FeatureTable& table, const Options& options,
                                    std::uint64_t seed, std::vector<int>& indices) {
  ser::FoldPredictions fold;
  if (options.cv.empty()) {
    for (std::size_t i = 0; i < table.size(); ++i)
      if (table.clips[i].augmentation.empty()) indices.push_back(static_cast<int>(i));
    fold.test_speakers = speakers_of(table.clips);
    return fold;
  }
  const ser::SplitScheme scheme = split_scheme(options.cv);
  warn_of_split(table, scheme);
  const std::vector<ser::Fold> folds = ser::make_folds(table.clips, scheme, seed);
  const auto k = static_cast<std::size_t>(options.fold);
  if (k >= folds.size())
    throw ser::UsageError(fmt::format("--fold: expected 0 to {} with {}, found {}",
                                      folds.size() - 1, options.cv, options.fold));
  indices = folds[k].test;
  fold.fold = options.fold;
  fold.test_speakers = folds[k].test_speakers;
  return fold;
}

ser::report::Report score_model(const Options& options, const ser::CommonOptions& common) {
  if (options.cv.empty() != (options.fold == ser::kUnsetInt))
    throw ser::UsageError("--model: expected --cv and --fold together, or neither");
  std::vector<ser::FeatureTable> tables;
  const ser::Model model = ser::read_model(ser::find_model(options.model));
  for (const std::string& file : options.features) tables.push_back(ser::read_feature_table(file));
  const ser::FeatureTable& table = tables[0];
  std::vector<int> indices;
  ser::FoldPredictions fold =
      clips_to_score(table, options, static_cast<std::uint64_t>(common.seed), indices);
  ser::report::Report report;
  report.kind = ser::report::ReportKind::kModel;
  report.heard_speakers = count_known_speakers(model, fold);
  std::vector<const ser::FeatureTable*> views;
  std::vector<std::string> fingerprints, features;
  for (const ser::FeatureTable& each : tables) {
    views.push_back(&each);
    fingerprints.push_back(ser::fingerprint(each.set));
    features.push_back(ser::describe(each.set));
  }
  fold.predictions = ser::with_context(ser::join(options.features, ", "), [&] {
    return ser::evaluate(model, views, indices, common.threads);
  });
  const int number = fold.fold;
  const ser::TrainingInfo& training = model.training;
  report.result = ser::make_result(
      {model.emotions, options.cv, training.recipe, ser::join(fingerprints, "+"), training.seed},
      {std::move(fold)});
  if (options.report.empty()) return report;
  report.features = ser::join(features, "; ");
  for (const int i : indices) report.clips.push_back(table.clips[static_cast<std::size_t>(i)]);
  report.hidden = {ser::hidden_layer(model, views, indices, number, common.threads)};
  return report;
}

ser::report::Report score_folds(const Options& options, const ser::CommonOptions& common) {
  if (options.fold != ser::kUnsetInt)
    throw ser::UsageError("--train scores every fold: --fold has no place");
  const ser::SplitScheme scheme = split_scheme(options.cv.empty() ? "speakers:6" : options.cv);
  const ser::Recipe recipe = ser::load_recipe(options.train);
  const ser::FeatureTable table =
      ser::read_feature_tables({options.features.begin(), options.features.end()});
  warn_of_split(table, scheme);
  const auto seed = static_cast<std::uint64_t>(common.seed);
  const std::size_t folds = ser::make_folds(table.clips, scheme, seed).size();
  ser::TrainingProgress progress(static_cast<int>(folds) * recipe.members, common.quiet);
  ser::LearningLog log;
  std::vector<ser::HiddenLayer> hidden(folds);
  ser::report::Report report;
  report.result = ser::cross_validate(
      table, scheme, recipe, seed, common.threads,
      [&](int fold, const ser::EpochReport& epoch) {
        log.add(fold, epoch);
        progress.on_epoch(fmt::format("fold {}", fold), epoch);
      },
      [&](int fold, const ser::Model& model, const std::vector<int>& test) {
        if (!options.report.empty())
          hidden[static_cast<std::size_t>(fold)] =
              ser::hidden_layer(model, {&table}, test, fold, common.threads);
      });
  report.features = ser::describe(table.set);
  report.clips = table.clips;
  report.curves = log.curves();
  report.hidden = std::move(hidden);
  return report;
}

std::vector<ser::ResultFile> read_results(const std::vector<std::string>& files) {
  std::vector<ser::ResultFile> results;
  for (const std::string& file : files) results.push_back(ser::read_result(file));
  return results;
}

ser::report::Report merge(const std::vector<std::string>& files) {
  ser::report::Report report;
  report.kind = ser::report::ReportKind::kMerged;
  report.result = ser::merge_results(read_results(files), files);
  const std::vector<int> missing = ser::missing_folds(*report.result);
  if (!missing.empty())
    spdlog::warn("{}: folds {} are missing", report.result->info.split, fmt::join(missing, ", "));
  return report;
}

ser::report::Report average(const Options& options) {
  ser::report::Report report;
  report.kind = ser::report::ReportKind::kAveraged;
  report.result =
      ser::average_results(read_results(options.average), options.average, options.temperature);
  return report;
}

ser::report::Report scored(const Options& options, const ser::CommonOptions& common) {
  if (!options.merge.empty()) return merge(options.merge);
  if (!options.average.empty()) return average(options);
  if (options.features.empty()) throw ser::UsageError("expected a feature file");
  return options.model.empty() ? score_folds(options, common) : score_model(options, common);
}

/// Everything that a run reads.
std::vector<std::string> files_read(const Options& options) {
  std::vector<std::string> files = {options.model, options.train};
  for (const auto* list : {&options.features, &options.merge, &options.average, &options.compare})
    files.insert(files.end(), list->begin(), list->end());
  return files;
}

int evaluate(const Options& options, const ser::Flags& flags, const ser::CommonOptions& common) {
  const int modes = !options.model.empty() + !options.train.empty() + !options.merge.empty() +
                    !options.average.empty() + !options.compare.empty();
  if (modes != 1)
    throw ser::UsageError("expected one of --model, --train, --merge, --average and --compare");
  if (flags.given("temperature") && options.average.empty())
    throw ser::UsageError("--temperature: expected --average; a recipe has its own");
  ser::check_outputs({{"-o", options.output, ser::OutputKind::kJson},
                      {"--report", options.report, ser::OutputKind::kPage}},
                     files_read(options));
  if (!options.compare.empty()) {
    if (!options.report.empty())
      throw ser::UsageError("--compare: --report shows one result, it has no place");
    ser::print_comparison(
        ser::compare(ser::read_result(options.compare[0]), ser::read_result(options.compare[1])),
        options.compare[0], options.compare[1]);
    return 0;
  }
  ser::report::Report report = scored(options, common);
  report.recipe = report.result->info.recipe;
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
      "Feature files of ser-extract: of several corpora (--train), or of the sets a model reads",
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
  command.flags().add(options, "Scoring");
  return command.run(argc, argv,
                     [&] { return evaluate(options, command.flags(), command.common()); });
}
