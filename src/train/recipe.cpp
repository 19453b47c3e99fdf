#include "ser/train/recipe.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/internal/json_io.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/core/text.h"
#include "train/presets.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = 1 << 20;

void expect(bool holds, std::string_view option, std::string_view range, double found) {
  if (!holds) throw Error(fmt::format("training.{}: expected {}, found {}", option, range, found));
}

Recipe parse_recipe(std::string_view json) {
  Recipe recipe;
  from_json(json, recipe);
  recipe.validate();
  return recipe;
}

}  // namespace

void TaskWeights::visit(FieldVisitor& v) {
  v.field("emotion", emotion, "Weight of the emotion's loss");
  v.field("gender", gender, "Weight of the gender's loss; 0: the model does not tell it");
  v.field("intensity", intensity, "Weight of the intensity's loss, a helper task");
}

void FeatureAugmentation::visit(FieldVisitor& v) {
  v.field("time_masks", time_masks, "Runs of frames set to zero");
  v.field("time_mask_frames", time_mask_frames, "Longest of them");
  v.field("band_masks", band_masks, "Runs of bands set to zero");
  v.field("band_mask_rows", band_mask_rows, "Longest of them");
  v.field("mixup", mixup, "Alpha of the beta distribution two clips are mixed with; 0: none");
}

void FeatureAugmentation::validate() const {
  const auto at_least_zero = [](std::string_view option, double value) {
    expect(value >= 0, fmt::format("augmentation.{}", option), "a number from 0", value);
  };
  at_least_zero("time_masks", time_masks);
  at_least_zero("time_mask_frames", time_mask_frames);
  at_least_zero("band_masks", band_masks);
  at_least_zero("band_mask_rows", band_mask_rows);
  at_least_zero("mixup", mixup);
}

void EarlyStoppingOptions::visit(FieldVisitor& v) {
  v.field("enabled", enabled, "Keep the epoch that is best on held-out training speakers");
  v.field("patience", patience, "Epochs without improvement before stopping");
}

void TrainingOptions::visit(FieldVisitor& v) {
  v.field("epochs", epochs, "Passes over the training clips");
  v.field("batch_size", batch_size, "Clips a step");
  v.field("shard_size", shard_size, "Clips whose gradient one thread computes");
  v.field("learning_rate", learning_rate, "Peak of the schedule");
  v.group("optimizer", optimizer);
  v.group("schedule", schedule);
  v.field("label_smoothing", label_smoothing, "Share of the target spread over all classes");
  v.field("gradient_clip", gradient_clip, "Largest norm of the gradient; 0: any");
  v.field("weight_average", weight_average, "Decay of the weights' running average; 0: none");
  v.field("norm_momentum", norm_momentum, "Of batch normalisation's running statistics");
  v.field("one_version", one_version,
          "An epoch takes one version of a clip, drawn among the original and its copies");
  v.field("balance_classes", balance_classes, "Let every emotion count alike");
  v.group("tasks", tasks);
  v.group("augmentation", augmentation);
  v.group("early_stopping", early_stopping);
}

void TrainingOptions::validate() const {
  expect(epochs >= 1, "epochs", "at least 1", epochs);
  expect(batch_size >= 1, "batch_size", "at least 1", batch_size);
  expect(shard_size >= 1, "shard_size", "at least 1", shard_size);
  expect(learning_rate > 0, "learning_rate", "a number above 0", learning_rate);
  expect(label_smoothing >= 0 && label_smoothing < 1, "label_smoothing", "a number in [0, 1)",
         label_smoothing);
  expect(gradient_clip >= 0, "gradient_clip", "a number from 0", gradient_clip);
  expect(weight_average >= 0 && weight_average < 1, "weight_average", "a number in [0, 1)",
         weight_average);
  expect(norm_momentum > 0 && norm_momentum <= 1, "norm_momentum", "a number in (0, 1]",
         norm_momentum);
  expect(tasks.emotion > 0, "tasks.emotion", "a number above 0", tasks.emotion);
  expect(tasks.gender >= 0, "tasks.gender", "a number from 0", tasks.gender);
  expect(tasks.intensity >= 0, "tasks.intensity", "a number from 0", tasks.intensity);
  expect(early_stopping.patience >= 1, "early_stopping.patience", "at least 1",
         early_stopping.patience);
  augmentation.validate();
  optimizer.validate();
  schedule.validate();
}

void Recipe::visit(FieldVisitor& v) {
  v.field("description", description, "What the recipe is for");
  v.field("features", features, "Feature preset it is made for");
  v.field("members", members, "Networks trained from different seeds and averaged");
  v.field("temperature", temperature,
          "Divides the emotions' logits; fitted on validation speakers (ser-eval prints the best)");
  v.field("enrolled", enrolled,
          "Features relative to the speaker's mean; prediction needs clips of the speaker");
  v.group("scaler", scaler);
  v.group("network", network);
  v.group("training", training);
}

void Recipe::validate() const {
  if (members < 1 || members > 64)
    throw Error(fmt::format("members: expected 1 to 64, found {}", members));
  if (!(temperature > 0.01 && temperature < 100))
    throw Error(fmt::format("temperature: expected 0.01 to 100, found {}", temperature));
  training.validate();
}

std::vector<std::string> recipe_preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, json] : kRecipePresets) names.emplace_back(name);
  return names;
}

bool is_recipe_file(const std::string& path) {
  return parse_json(read_file(path, kMaxRecipeBytes), path).contains("network");
}

Recipe load_recipe(std::string_view name_or_path) {
  for (const auto& [name, json] : kRecipePresets)
    if (name == name_or_path)
      return with_context(fmt::format("recipe '{}'", name), [&] { return parse_recipe(json); });
  const std::filesystem::path path(name_or_path);
  if (!std::filesystem::exists(path)) {
    const std::vector<std::string> names = recipe_preset_names();
    throw Error(fmt::format("expected a recipe file or one of {}, found '{}'{}", join(names, ", "),
                            name_or_path, did_you_mean(name_or_path, names)));
  }
  return with_context(path.string(),
                      [&] { return parse_recipe(read_file(path, kMaxRecipeBytes)); });
}

}  // namespace ser
