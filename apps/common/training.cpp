#include "training.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>

#include "command.h"
#include "installation.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "searching.h"
#include "ser/core/file_kind.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/eval/search.h"
#include "ser/model/model.h"
#include "ser/report/report.h"
#include "ser/train/trainer.h"
#include "talk.h"
#include "team.h"

namespace ser {
namespace {

nn::Index own_parameters(const nn::Node& node) {
  return std::accumulate(node.parameters.begin(), node.parameters.end(), nn::Index{0},
                         [](nn::Index sum, const nn::Parameter& p) { return sum + p.size(); });
}

void print_node(const nn::Node& node, int depth) {
  fmt::print("{:<28}{:<18}{:>18}{:>12}\n",
             std::string(2 * static_cast<std::size_t>(depth), ' ') + node.name, node.layer->type(),
             nn::to_string(node.output), own_parameters(node));
  for (const nn::Node& child : node.children) print_node(child, depth + 1);
}

void describe_network(const Recipe& recipe, const FeatureTable& table) {
  std::vector<int> all(table.size());
  std::iota(all.begin(), all.end(), 0);
  const auto outputs = emotion_labels(table.clips, all).size() +
                       gender_labels(table, all, recipe.training.tasks).size();
  const nn::Network network = make_network(recipe, table, outputs);
  fmt::print("{:<28}{:<18}{:>18}{:>12}\n", "layer", "type", "output", "parameters");
  fmt::print("{:<28}{:<18}{:>18}\n", "input", "", nn::to_string(network.input()));
  for (const nn::Node& node : network.nodes()) print_node(node, 0);
  fmt::print("{} trained numbers a network, {} network{}\n", network.parameter_count(),
             recipe.members, recipe.members == 1 ? "" : "s");
}

Recipe chosen_recipe(const TrainingFlags& options, const Flags& flags) {
  if (flags.given("model") && flags.given("recipe"))
    fail<UsageError>("--model and --recipe: expected one of them");
  const std::vector<std::string> presets = recipe_preset_names();
  if (options.recipe.empty() && !std::filesystem::exists(options.model) &&
      std::ranges::find(presets, options.model) == presets.end())
    fail<UsageError>("--model: expected one of {}, found '{}'{}", join(presets, ", "),
                     options.model, did_you_mean(options.model, presets));
  Recipe recipe = load_recipe(options.recipe.empty() ? options.model : options.recipe);
  if (flags.given("epochs")) recipe.training.epochs = options.epochs;
  if (flags.given("batch_size")) recipe.training.batch_size = options.batch_size;
  if (flags.given("learning_rate")) recipe.training.learning_rate = options.learning_rate;
  return recipe;
}

void set_up_checkpoint(const TrainingFlags& options, RunOptions& run) {
  check_resume(options);
  if (options.checkpoint.empty()) return;
  run.checkpoint = options.checkpoint;
  run.resume = options.resume;
  run.on_checkpoint_failure = [](const std::string& why) {
    talk::warn("the run is not saved, training goes on: {}", why);
  };
  if (run.team->size() > 1) return;  // none of them could stop alone
  catch_interrupts();
  run.stop = [] { return interrupted(); };
}

void write(const Model& model, const TrainingFlags& options) {
  if (!options.output.empty()) write_model(model, options.output, options.weights);
  if (options.exported.empty()) return;
  // Of weights that were rounded, those.
  write_onnx(options.output.empty() ? model : read_model(options.output), options.exported);
}

std::string written(const TrainingFlags& options) {
  if (options.output.empty()) return options.exported;
  return options.exported.empty() ? options.output : options.output + ", " + options.exported;
}

void combine_models(const TrainingFlags& options) {
  if (!options.inputs.empty())
    fail<UsageError>("--combine: expected model files alone, found a feature file, too");
  std::vector<Model> models;
  for (const std::string& file : options.combine) models.push_back(read_model(find_model(file)));
  Model ensemble = combine(models, options.combine, options.temperature);
  if (options.uncertain_below != kUnsetNumber) ensemble.uncertain_below = options.uncertain_below;
  if (options.heard_temperature != kUnsetNumber)
    for (Member& member : ensemble.members)
      member.listening.heard_temperature = options.heard_temperature;
  write(ensemble, options);
  const std::size_t networks = ensemble.members.size();
  talk::info("{}: {} network{}", written(options), networks, networks == 1 ? "" : "s");
}

void check_files(const TrainingFlags& options) {
  if (options.output.ends_with(".onnx"))
    fail<UsageError>("-o: writes a model for these programs, found {}: expected --export FILE, too",
                     options.output);
  std::vector<std::string> files = options.inputs;
  files.insert(files.end(), {options.recipe, options.search});
  files.insert(files.end(), options.combine.begin(), options.combine.end());
  const bool searches = !options.search.empty();
  check_outputs(
      {{"-o", options.output, searches ? FileKind::kRecipe : FileKind::kModel},
       {"--export", options.exported, FileKind::kOnnx},
       {"--report", options.report, FileKind::kPage},
       {"--checkpoint", options.checkpoint, searches ? FileKind::kSearch : FileKind::kCheckpoint}},
      files);
}

/// What the recipe asks for and the data do not allow.
void warn_of_data(const TrainingData& data, const Recipe& recipe) {
  if (recipe.training.early_stopping.enabled && data.validation.empty())
    warn_of_no_validation(recipe);
  const TaskWeights& weights = recipe.training.tasks;
  if (weights.gender > 0 && gender_labels(data.table, data.train, weights).empty())
    talk::warn(
        "no corpus has clips of both genders, all of them labelled: the model tells the emotion "
        "only");
}

/// Of a model: the mean over its members, in whatever order they ended. Nothing if no epoch was
/// run.
std::optional<double> last_loss(const std::map<int, double>& by_member) {
  if (by_member.empty()) return {};
  double sum = 0;
  for (const auto& [member, loss] : by_member) sum += loss;
  return sum / static_cast<double>(by_member.size());
}

/// A run that ended far above the loss of answers drawn by lot did not learn.
void warn_of_loss(double loss, const Model& model, const TaskWeights& weights) {
  constexpr double kFarAbove = 3;  // some of what is above is the intensity's
  const double by_lot = weights.emotion * std::log(static_cast<double>(model.emotions.size())) +
                        (model.genders.empty() ? 0 : weights.gender * std::log(2.0));
  if (loss > kFarAbove * by_lot)
    talk::warn("the last loss, {:.3g}, is above that of guessing, {:.3g}: lower learning_rate",
               loss, by_lot);
}

/// Decides which answers are uncertain: as the flags say, or on validation speakers.
void set_certainty(const TrainingFlags& options, const TrainingData& data, const Recipe& recipe,
                   RunOptions run, bool quiet, Model& model) {
  if (options.uncertain_below != kUnsetNumber) model.uncertain_below = options.uncertain_below;
  const bool asked = options.risk != kUnsetNumber;
  if (options.uncertain_below != kUnsetNumber || (!asked && data.validation.empty())) return;
  const double risk = asked ? options.risk : kAllowedRisk;
  TrainingProgress progress(1, recipe.members, quiet);
  run.observer = [&](const EpochReport& report) { progress.on_epoch("held out", report); };
  const auto [sure, speakers, clips] = choose_certainty(data, recipe, model, run, risk);
  model.uncertain_below = sure.from;
  if (run.team->rank() > 0) return;
  const std::string held_out =
      speakers > 0 ? fmt::format("{} speaker{} held out", speakers, speakers == 1 ? "" : "s")
                   : fmt::format("{} clips held out", clips);
  if (sure.kept == 0)
    talk::warn(
        "every answer will be marked uncertain: of {}, those of no threshold are {:.0f} % right",
        held_out, 100 * (1 - risk));
  else
    talk::info("{}: {:.0f} % of the answers are certain, {:.0f} % of those right (from {:.2f} on)",
               held_out, 100.0 * sure.kept / clips, 100 * (1 - sure.risk()), sure.from);
}

void train_model(TrainingFlags options, const Recipe& recipe, const FeatureTable& table,
                 const CommonOptions& common, Team& team) {
  if (options.cv.empty() && options.fold != kUnsetInt) options.cv = kUsualSplit;
  const std::uint64_t seed = common.seed;
  const Fold fold = chosen_fold(table.clips, options.cv, options.fold, seed);
  const std::uint64_t stream =
      options.cv.empty() ? kWholeCorpus : static_cast<std::uint64_t>(options.fold);
  const TrainingData data = training_data(table, fold.train, recipe, seed, stream);
  warn_of_data(data, recipe);
  if (options.risk != kUnsetNumber && data.validation.empty() &&
      hold_out_validation(table.clips, data.train, seed, stream).validation.empty())
    fail<UsageError>("--risk: expected at least four training speakers, to hold one out");
  std::map<int, double> last_losses;  // by member
  LearningLog log;
  TrainingProgress progress(1, recipe.members, common.quiet);
  RunOptions run{seed, stream, common.threads};
  run.team = &team;
  run.observer = [&](const EpochReport& report) {
    last_losses[report.member] = report.loss;
    log.add(0, report);
    progress.on_epoch("", report);
  };
  set_up_checkpoint(options, run);
  Model model = explain_stop("run", options.checkpoint, [&] {
    Model trained = train(data, recipe, run);
    set_certainty(options, data, recipe, run, common.quiet, trained);
    return trained;
  });
  if (team.rank() > 0) return;
  model.training.split = options.cv;
  if (!options.cv.empty()) model.training.fold = options.fold;
  write(model, options);
  if (!options.report.empty())
    report::write_report(
        options.report, report::training_report(data, recipe, model, log.curves(), common.threads));
  const std::optional<double> loss = last_loss(last_losses);
  if (loss) warn_of_loss(*loss, model, recipe.training.tasks);
  talk::info("{}: {} clips, {} classes{}, {}", written(options), data.train.size(),
             model.emotions.size(), model.genders.empty() ? "" : " and gender",
             loss ? fmt::format("last loss {:.3f}", *loss) : "all epochs were in the checkpoint");
}

}  // namespace

void check_resume(const TrainingFlags& options) {
  const bool trains = options.search.empty();
  if (!options.resume) {
    std::error_code error;
    if (trains && std::filesystem::is_regular_file(options.checkpoint, error))
      talk::warn("{}: the run that is kept there is replaced; --resume would go on from it",
                 options.checkpoint);
    return;
  }
  if (options.checkpoint.empty()) fail<UsageError>("--resume: expected --checkpoint FILE");
  if (trains ? !std::filesystem::exists(options.checkpoint)
             : search_files(options.checkpoint).empty())
    talk::warn("{}: no checkpoint there, {} starts afresh", options.checkpoint,
               trains ? "training" : "the search");
}

SplitScheme split_scheme(const std::string& cv) {
  return from_flag("--cv", [&] { return parse_split_scheme(cv); });
}

void warn_of_files(const FeatureTable& table) {
  for (const std::string& warning : table.warnings) talk::warn("{}", warning);
}

void warn_of_split(const std::vector<Utterance>& clips, const SplitScheme& scheme) {
  for (const std::string& warning : split_warnings(clips, scheme)) talk::warn("{}", warning);
}

void warn_of_no_validation(const Recipe& recipe) {
  talk::warn("fewer than four training speakers: all {} epochs are run", recipe.training.epochs);
}

Fold chosen_fold(const std::vector<Utterance>& clips, const std::string& cv, int fold,
                 std::uint64_t seed) {
  if (!cv.empty() && fold == kUnsetInt) fail<UsageError>("--cv: expected --fold, too");
  if (cv.empty()) return whole_corpus(clips);
  const SplitScheme scheme = split_scheme(cv);
  const std::vector<Fold> folds = make_folds(clips, scheme, seed);
  warn_of_split(clips, scheme);
  if (fold < 0 || static_cast<std::size_t>(fold) >= folds.size())
    fail<UsageError>("--fold: expected 0 to {} with {}, found {}", folds.size() - 1, cv, fold);
  return folds[fold];
}

void TrainingFlags::visit(FieldVisitor& v) {
  v.field("output", output, "Model file to write");
  v.field("export", exported, "Also write the model for other programs (ONNX)");
  v.field("model", model, join(recipe_preset_names(), "|") + ": a built-in recipe");
  v.field("recipe", recipe, "Recipe file instead of --model");
  v.field("cv", cv, "Split scheme: speakers:K, luna, loso, random:K, actors:A-B, corpora");
  v.field("fold", fold, "Leave this fold out (from 0): of --cv, or of speakers:6", Range{0, 1e6});
  v.field("epochs", epochs, "Epochs instead of the recipe's", Range{1, 1e6});
  v.field("batch_size", batch_size, "Clips a step instead of the recipe's", Range{1, 1e6});
  v.field("learning_rate", learning_rate, "Learning rate instead of the recipe's",
          Range{0, 1000}.above());
  v.field("search", search, "Search for a recipe, to be -o: JSON of fields and what they may be");
  v.field("trials", trials, "Recipes that --search tries", Range{1, 1e5});
  v.field("shard", shard, "With --search: score every N-th training, from the I-th on");
  v.field("checkpoint", checkpoint, "Save the run, or a search's scores, here every 10 s");
  v.field("resume", resume, "Go on from the checkpoint");
  v.choice("weights", weights,
           {{"f32", WeightFormat::kF32}, {"f16", WeightFormat::kF16}, {"i8", WeightFormat::kI8}},
           "Precision of the weights in the model file");
  v.field("temperature", temperature, "Divides the mean logits of --combine", Range{0.01, 100});
  v.field("heard_temperature", heard_temperature,
          "Of --combine: temperature of a voice wholly known, relative to a stranger's",
          Range{0.1, 10});
  v.field(
      "risk", risk,
      "Share of the answers not marked as uncertain that may be wrong, for speakers held out of "
      "a training of its own; 0.2 where the recipe stops early",
      Range{0, 1}.above());
  v.field("uncertain_below", uncertain_below,
          "Answers of a lower probability are marked as uncertain", Range{0, 1});
  v.field("report", report,
          "Report to write (HTML): curves, validation; of a search what mattered");
  v.field("describe", describe, "Print the layers with shapes and parameter counts, then stop");
}

void train(const TrainingFlags& options, const Flags& flags, const CommonOptions& common,
           Team& team) {
  check_files(options);
  const bool is_shared = options.combine.empty() && !options.describe;
  if (team.rank() > 0 && !is_shared) return;
  say_if_others_end(team, options.checkpoint.empty()
                              ? "nothing of it is kept without --checkpoint FILE"
                              : fmt::format("it is saved in {}: go on with the same command and "
                                            "--resume, with any number of processes",
                                            options.checkpoint));
  if (options.output.empty() && options.exported.empty() && options.shard.empty() &&
      !options.describe)
    fail<UsageError>("expected an output file: -o FILE or --export FILE");
  check_search(options, flags, team);
  if (!options.combine.empty()) {
    flags.refuse({"model", "recipe", "cv", "fold", "epochs", "batch_size", "learning_rate",
                  "checkpoint", "report", "describe", "risk"},
                 "--combine trains nothing, it has no place");
    return combine_models(options);
  }
  flags.refuse({"temperature", "heard_temperature"}, "expected --combine; a recipe has its own");
  if (flags.given("uncertain_below"))
    flags.refuse({"risk"}, "--uncertain-below says it already, it has no place");
  if (options.inputs.empty()) fail<UsageError>("expected a feature file");
  if (options.describe)
    flags.refuse({"output", "export", "report", "checkpoint", "cv", "fold", "search", "risk"},
                 "--describe prints the layers alone, it has no place");
  const Recipe recipe = chosen_recipe(options, flags);
  talk::debug("recipe: {}", to_json(recipe));
  const FeatureTable table = read_feature_tables({options.inputs.begin(), options.inputs.end()});
  warn_of_files(table);
  if (options.describe) return describe_network(recipe, table);
  if (options.search.empty())
    train_model(options, recipe, table, common, team);
  else
    run_search(options, recipe, table, common, team);
}

}  // namespace ser
