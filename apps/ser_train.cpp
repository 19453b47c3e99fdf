#include <fmt/format.h>

#include <filesystem>

#include "common/command.h"
#include "common/describe.h"
#include "common/folds.h"
#include "common/interrupt.h"
#include "common/outputs.h"
#include "common/search.h"
#include "common/talk.h"
#include "common/team.h"
#include "common/training_progress.h"
#include "ser/core/text.h"
#include "ser/eval/search.h"
#include "ser/model/ensemble.h"
#include "ser/model/onnx.h"
#include "ser/report/report.h"

namespace {

constexpr const char* kExamples =
    "  ser-train features.safetensors -o model.json\n"
    "  ser-train features.safetensors -o model.json --recipe my-recipe.json --epochs 100\n"
    "  ser-train features.safetensors -o fold3.json --cv speakers:6 --fold 3\n"
    "  ser-train features.safetensors --model mlp --describe\n"
    "  ser-train features.safetensors --search space.json --trials 40 --cv speakers:6 -o "
    "best.json\n"
    "  ser-train --combine mlp.json cnn.json --weights f16 -o ensemble.json\n"
    "  ser-train --combine model.json --export model.onnx\n";

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> combine;
  std::string output;
  std::string exported;
  std::string model = "mlp";
  std::string recipe;
  std::string cv;
  int fold = ser::kUnsetInt;
  int epochs = ser::kUnsetInt;
  int batch_size = ser::kUnsetInt;
  double learning_rate = ser::kUnsetNumber;
  std::string search;
  int trials = 27;
  std::string shard;
  std::string checkpoint;
  bool resume = false;
  ser::WeightFormat weights = ser::WeightFormat::kF32;
  double temperature = 1;
  double uncertain_below = ser::kUnsetNumber;
  std::string report;
  bool describe = false;

  void visit(ser::FieldVisitor& v) {
    v.field("output", output, "Model file to write");
    v.field("export", exported, "Also write the model for other programs (ONNX)");
    v.field("model", model, ser::join(ser::recipe_preset_names(), "|") + ": a built-in recipe");
    v.field("recipe", recipe, "Recipe file instead of --model");
    v.field("cv", cv, "Split scheme: speakers:K, luna, loso, random:K, actors:A-B, corpora");
    v.field("fold", fold, "Leave this fold of --cv out (from 0)", ser::Range{0, 1e6});
    v.field("epochs", epochs, "Epochs instead of the recipe's", ser::Range{1, 1e6});
    v.field("batch_size", batch_size, "Clips a step instead of the recipe's", ser::Range{1, 1e6});
    v.field("learning_rate", learning_rate, "Learning rate instead of the recipe's",
            ser::Range{0, 1000}.above());
    v.field("search", search, "Search for a recipe, to be -o: JSON of fields and what they may be");
    v.field("trials", trials, "Recipes that --search tries", ser::Range{1, 1e6});
    v.field("shard", shard, "With --search: score every N-th training, from the I-th on");
    v.field("checkpoint", checkpoint, "Save the run, or a search's scores, here every 10 s");
    v.field("resume", resume, "Go on from the checkpoint");
    v.choice("weights", weights,
             {{"f32", ser::WeightFormat::kF32},
              {"f16", ser::WeightFormat::kF16},
              {"i8", ser::WeightFormat::kI8}},
             "Precision of the weights in the model file");
    v.field("temperature", temperature, "Divides the mean logits of --combine",
            ser::Range{0.01, 100});
    v.field("uncertain_below", uncertain_below,
            "Answers of a lower probability are marked as uncertain", ser::Range{0, 1});
    v.field("report", report,
            "Report to write (HTML): curves, validation; of a search what mattered");
    v.field("describe", describe, "Print the layers with shapes and parameter counts, then stop");
  }
};

ser::Recipe chosen_recipe(const Options& options, const ser::Flags& flags) {
  if (flags.given("model") && flags.given("recipe"))
    throw ser::UsageError("--model and --recipe: expected one of them");
  ser::Recipe recipe = ser::load_recipe(options.recipe.empty() ? options.model : options.recipe);
  if (flags.given("epochs")) recipe.training.epochs = options.epochs;
  if (flags.given("batch_size")) recipe.training.batch_size = options.batch_size;
  if (flags.given("learning_rate")) recipe.training.learning_rate = options.learning_rate;
  return recipe;
}

void check_resume(const Options& options) {
  if (!options.resume) return;
  if (options.checkpoint.empty()) throw ser::UsageError("--resume: expected --checkpoint FILE");
  const bool trains = options.search.empty();
  if (trains ? !std::filesystem::exists(options.checkpoint)
             : ser::search_files(options.checkpoint).empty())
    ser::talk::warn("{}: no checkpoint there, {} starts afresh", options.checkpoint,
                    trains ? "training" : "the search");
}

void set_up_checkpoint(const Options& options, ser::RunOptions& run) {
  check_resume(options);
  if (options.checkpoint.empty()) return;
  run.checkpoint = options.checkpoint;
  run.resume = options.resume;
  run.on_checkpoint_failure = [](const std::string& why) {
    ser::talk::warn("the run is not saved, training goes on: {}", why);
  };
  if (run.team->size() > 1) return;  // none of them could stop alone
  ser::catch_interrupts();
  run.stop = [] { return ser::interrupted(); };
}

ser::Model train_or_explain(const ser::TrainingData& data, const ser::Recipe& recipe,
                            const ser::RunOptions& run) {
  try {
    return ser::train(data, recipe, run);
  } catch (const ser::Stopped&) {
    throw ser::Error(
        fmt::format("interrupted; the run is saved in {}, go on with the same command "
                    "and --resume",
                    run.checkpoint.string()));
  }
}

void write(const ser::Model& model, const Options& options) {
  if (!options.output.empty()) ser::write_model(model, options.output, options.weights);
  if (!options.exported.empty()) ser::write_onnx(model, options.exported);
}

std::string written(const Options& options) {
  if (options.output.empty()) return options.exported;
  return options.exported.empty() ? options.output : options.output + ", " + options.exported;
}

/// Flags that have no place in a search, or only there.
void check_search(const Options& options, const ser::Flags& flags, const ser::Team& team) {
  const auto refuse = [&](const char* field, const std::string& why) {
    if (flags.given(field)) throw ser::UsageError(ser::flag_name(field) + ": " + why);
  };
  if (options.search.empty()) {
    refuse("trials", "expected --search SPACE");
    refuse("shard", "expected --search SPACE");
    return;
  }
  refuse("fold", "--search leaves every fold of --cv out in turn, it has no place");
  for (const char* field : {"export", "weights", "uncertain_below"})
    refuse(field, "--search makes a recipe, no model");
  if (!options.combine.empty()) refuse("search", "--combine trains nothing, it has no place");
  check_resume(options);
  if (options.shard.empty()) return;
  refuse("output", "a shard of a search keeps its scores beside --checkpoint, it has no place");
  refuse("report", "a shard of a search has no result, it has no place");
  if (options.checkpoint.empty()) throw ser::UsageError("--shard: expected --checkpoint FILE");
  if (team.size() > 1) throw ser::UsageError("--shard: expected one process");
}

int combine(const Options& options) {
  if (!options.inputs.empty())
    throw ser::UsageError("--combine: expected model files alone, found a feature file, too");
  std::vector<ser::Model> models;
  for (const std::string& file : options.combine) models.push_back(ser::read_model(file));
  ser::Model ensemble = ser::combine(models, options.combine, options.temperature);
  if (options.uncertain_below != ser::kUnsetNumber)
    ensemble.uncertain_below = options.uncertain_below;
  write(ensemble, options);
  ser::talk::info("{}: {} networks", written(options), ensemble.members.size());
  return 0;
}

/// Looks at all that a run will write.
void check_files(const Options& options) {
  std::vector<std::string> files = options.inputs;
  files.insert(files.end(), {options.recipe, options.search});
  files.insert(files.end(), options.combine.begin(), options.combine.end());
  const bool searches = !options.search.empty();
  ser::check_outputs(
      {{"-o", options.output, searches ? ser::OutputKind::kRecipe : ser::OutputKind::kModel},
       {"--export", options.exported, ser::OutputKind::kOnnx},
       {"--report", options.report, ser::OutputKind::kPage},
       {"--checkpoint", options.checkpoint,
        searches ? ser::OutputKind::kSearch : ser::OutputKind::kCheckpoint}},
      files);
}

/// What the recipe asks for and the data do not allow.
void warn_of_data(const ser::TrainingData& data, const ser::Recipe& recipe) {
  if (recipe.training.early_stopping.enabled && data.validation.empty())
    ser::talk::warn("fewer than four training speakers: all {} epochs are run",
                    recipe.training.epochs);
  const ser::TaskWeights& weights = recipe.training.tasks;
  if (weights.gender > 0 && ser::gender_labels(data.table, data.train, weights).empty())
    ser::talk::warn(
        "expected clips of both genders, all of them labelled, in some corpus: the model "
        "tells the emotion only");
}

void train_model(const Options& options, const ser::Recipe& recipe, const ser::FeatureTable& table,
                 const ser::CommonOptions& common, ser::Team& team) {
  const auto seed = static_cast<std::uint64_t>(common.seed);
  const ser::Fold fold = ser::chosen_fold(table.clips, options.cv, options.fold, seed);
  const std::uint64_t stream =
      options.cv.empty() ? ser::kWholeCorpus : static_cast<std::uint64_t>(options.fold);
  const ser::TrainingData data = ser::training_data(table, fold.train, recipe, seed, stream);
  warn_of_data(data, recipe);
  ser::EpochReport last;
  ser::LearningLog log;
  ser::TrainingProgress progress(recipe.members, common.quiet);
  ser::RunOptions run{seed, stream, common.threads};
  run.team = &team;
  run.observer = [&](const ser::EpochReport& report) {
    last = report;
    log.add(0, report);
    progress.on_epoch("", report);
  };
  set_up_checkpoint(options, run);
  ser::Model model = train_or_explain(data, recipe, run);
  if (team.rank() > 0) return;
  if (options.uncertain_below != ser::kUnsetNumber) model.uncertain_below = options.uncertain_below;
  model.training.split = options.cv;
  if (!options.cv.empty()) model.training.fold = options.fold;
  write(model, options);
  if (!options.report.empty())
    ser::report::write_report(
        options.report,
        ser::report::training_report(data, recipe, model, log.curves(), common.threads),
        common.threads);
  ser::talk::info("{}: {} clips, {} classes{}, last loss {:.3f}", written(options),
                  data.train.size(), model.emotions.size(),
                  model.genders.empty() ? "" : " and gender", last.loss);
}

int train(const Options& options, const ser::Flags& flags, const ser::CommonOptions& common,
          ser::Team& team) {
  check_files(options);
  const bool is_shared = options.combine.empty() && !options.describe;
  if (team.rank() > 0 && !is_shared) return 0;
  ser::say_if_others_end(
      team, options.checkpoint.empty()
                ? "nothing of it is kept without --checkpoint FILE"
                : fmt::format("it is saved in {}: go on with the same command and --resume, with "
                              "any number of processes",
                              options.checkpoint));
  if (options.output.empty() && options.exported.empty() && options.shard.empty() &&
      !options.describe)
    throw ser::UsageError("expected an output file: -o FILE or --export FILE");
  check_search(options, flags, team);
  if (!options.combine.empty()) {
    if (!options.report.empty()) throw ser::UsageError("--combine: nothing is trained to report");
    return combine(options);
  }
  if (flags.given("temperature"))
    throw ser::UsageError("--temperature: expected --combine; a recipe has its own");
  if (options.inputs.empty()) throw ser::UsageError("expected a feature file");
  const ser::Recipe recipe = chosen_recipe(options, flags);
  ser::talk::debug("recipe: {}", ser::to_json(recipe));
  const ser::FeatureTable table =
      ser::read_feature_tables({options.inputs.begin(), options.inputs.end()});
  if (options.describe) {
    ser::describe_network(recipe, table);
    return 0;
  }
  if (options.search.empty())
    train_model(options, recipe, table, common, team);
  else
    ser::run_search({options.search, options.trials, options.shard, options.cv, options.checkpoint,
                     options.resume, options.output, options.report},
                    recipe, table, common, team);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-train", "Trains a model on a feature file.", kExamples);
  command.positional("FEATURES", options.inputs,
                     "Feature files of ser-extract, of one corpus or of several",
                     ser::Presence::kOptional);
  command.words("--combine", options.combine, 0, "MODEL...",
                "Make one model of several instead of training: an ensemble", "Training");
  command.flags().alias("output", "-o");
  for (const char* field : {"output", "export", "recipe", "search", "checkpoint", "report"})
    command.flags().show_as(field, "FILE");
  command.flags().show_as("model", "NAME");
  command.flags().show_as("shard", "I/N");
  command.flags().show_as("cv", "SCHEME");
  command.flags().add(options, "Training");
  return command.run(argc, argv, [&] {
    ser::CommonOptions common = command.common();
    return ser::run_in_team(
        common, [&](ser::Team& team) { return train(options, command.flags(), common, team); });
  });
}
