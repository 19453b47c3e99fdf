#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "common/command.h"
#include "common/default_model.h"
#include "common/score_table.h"
#include "common/training_progress.h"
#include "ser/core/text.h"
#include "ser/eval/compare.h"
#include "ser/eval/evaluate.h"

namespace {

constexpr const char* kExamples =
    "  ser-eval features.safetensors --cv speakers:6 --train mlp -o results.json\n"
    "  ser-eval features.safetensors --model fold3.json --cv speakers:6 --fold 3 -o r3.json\n"
    "  ser-eval --merge r0.json r1.json r2.json -o results.json\n"
    "  ser-eval --compare a.json b.json\n";

struct Options {
  std::string features;
  std::vector<std::string> merge;
  std::vector<std::string> compare;
  std::string model;
  std::string train;
  std::string cv;
  int fold = ser::kUnsetInt;
  std::string output;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Score this model: a file, or the name of a shipped one");
    v.field("train", train,
            "Train this recipe on the other folds and score each: " +
                ser::join(ser::recipe_preset_names(), "|") + " or a file");
    v.field("cv", cv,
            "Split scheme: speakers:K, luna, loso, random:K, actors:A-B (--train: speakers:6)");
    v.field("fold", fold, "Score --model on this fold alone (from 0)");
    v.field("output", output, "Result file to write (JSON)");
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

/// Scores on a speaker's clips mean little if the model has heard that speaker.
void warn_of_known_speakers(const ser::Model& model, const ser::FoldPredictions& fold) {
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

ser::ResultFile score_model(const Options& options, const ser::CommonOptions& common) {
  if (options.cv.empty() != (options.fold == ser::kUnsetInt))
    throw ser::UsageError("--model: expected --cv and --fold together, or neither");
  const ser::FeatureTable table = ser::read_feature_table(options.features);
  const ser::Model model = ser::read_model(ser::find_model(options.model));
  std::vector<int> indices;
  ser::FoldPredictions fold =
      clips_to_score(table, options, static_cast<std::uint64_t>(common.seed), indices);
  warn_of_known_speakers(model, fold);
  fold.predictions = ser::with_context(
      options.features, [&] { return ser::evaluate(model, table, indices, common.threads); });
  const ser::TrainingInfo& training = model.training;
  return ser::make_result(
      {model.emotions, options.cv, training.recipe, ser::fingerprint(table.set), training.seed},
      {std::move(fold)});
}

ser::ResultFile score_folds(const Options& options, const ser::CommonOptions& common) {
  if (options.fold != ser::kUnsetInt)
    throw ser::UsageError("--train scores every fold: --fold has no place");
  const ser::SplitScheme scheme = split_scheme(options.cv.empty() ? "speakers:6" : options.cv);
  const ser::Recipe recipe = ser::load_recipe(options.train);
  const ser::FeatureTable table = ser::read_feature_table(options.features);
  warn_of_split(table, scheme);
  const auto seed = static_cast<std::uint64_t>(common.seed);
  const std::size_t folds = ser::make_folds(table.clips, scheme, seed).size();
  ser::TrainingProgress progress(static_cast<int>(folds) * recipe.members, common.quiet);
  return ser::cross_validate(table, scheme, recipe, seed, common.threads,
                             [&](int fold, const ser::EpochReport& report) {
                               progress.on_epoch(fmt::format("fold {}", fold), report);
                             });
}

ser::ResultFile merge(const std::vector<std::string>& files) {
  std::vector<ser::ResultFile> results;
  for (const std::string& file : files) results.push_back(ser::read_result(file));
  ser::ResultFile merged = ser::merge_results(results, files);
  const std::vector<int> missing = ser::missing_folds(merged);
  if (!missing.empty())
    spdlog::warn("{}: folds {} are missing", merged.info.split, fmt::join(missing, ", "));
  return merged;
}

int evaluate(const Options& options, const ser::CommonOptions& common) {
  const int modes = !options.model.empty() + !options.train.empty() + !options.merge.empty() +
                    !options.compare.empty();
  if (modes != 1) throw ser::UsageError("expected one of --model, --train, --merge and --compare");
  if (!options.compare.empty()) {
    ser::print_comparison(
        ser::compare(ser::read_result(options.compare[0]), ser::read_result(options.compare[1])),
        options.compare[0], options.compare[1]);
    return 0;
  }
  if (options.merge.empty() && options.features.empty())
    throw ser::UsageError("expected a feature file");
  const ser::ResultFile result = !options.merge.empty()   ? merge(options.merge)
                                 : !options.model.empty() ? score_model(options, common)
                                                          : score_folds(options, common);
  if (!options.output.empty()) ser::write_result(options.output, result);
  ser::print_scores(result);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-eval", "Scores models on speakers they have not heard.", kExamples);
  command.positional("FEATURES", options.features, "Feature file of ser-extract",
                     ser::Presence::kOptional);
  command.words("--merge", options.merge, 0, "FILE...", "Pool result files of folds scored apart");
  command.words("--compare", options.compare, 2, "A B",
                "Paired test of two result files on the same clips");
  command.flags().alias("output", "-o");
  command.flags().add(options, "Scoring");
  return command.run(argc, argv, [&] { return evaluate(options, command.common()); });
}
