#include "ser/train/recipe.h"

#include <fmt/format.h>

#include <filesystem>
#include <limits>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/atomic_file.h"
#include "ser/core/file_kind.h"
#include "ser/core/text.h"
#include "train/presets.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = 1 << 20;

Recipe parse_recipe(std::string_view json) {
  Recipe recipe;
  from_json(json, recipe);
  recipe.validate();
  return recipe;
}

}  // namespace

void TaskWeights::visit(FieldVisitor& v) {
  v.field("emotion", emotion, "Weight of the emotion's loss", Range{0, 1000}.above());
  v.field("gender", gender, "Weight of the gender's loss; 0: the model does not tell it",
          Range{0, 1000});
  v.field("intensity", intensity, "Weight of the intensity's loss, a helper task", Range{0, 1000});
}

void FeatureAugmentation::visit(FieldVisitor& v) {
  v.field("time_masks", time_masks, "Runs of frames set to zero", Range{0, 1000});
  v.field("time_mask_frames", time_mask_frames, "Longest of them", Range{0, 1e6});
  v.field("band_masks", band_masks, "Runs of bands set to zero", Range{0, 1000});
  v.field("band_mask_rows", band_mask_rows, "Longest of them", Range{0, 1e6});
  v.field("mixup", mixup, "Alpha of the beta distribution two clips are mixed with; 0: none",
          Range{0, 1000});
}

void ListeningRecipe::visit(FieldVisitor& v) {
  ListeningOptions::visit(v);
  v.field("draw", draw,
          "Clips of the voice heard before a training clip, one number drawn anew for every clip "
          "and epoch; all: the others of the speaker");
}

void ListeningRecipe::validate() const {
  ListeningOptions::validate();
  static_cast<void>(draws());
}

std::vector<std::size_t> ListeningRecipe::draws() const {
  std::vector<std::size_t> numbers;
  for (const std::string& part : split(draw, ',')) {
    const int number =
        part == "all" ? std::numeric_limits<int>::max() : parse_int(part, "listening.draw");
    if (number < 0) fail("listening.draw: expected numbers from 0 and all, found {}", part);
    numbers.push_back(number);
  }
  if (numbers.empty()) fail("listening.draw: expected numbers, found none");
  return numbers;
}

void EarlyStoppingOptions::visit(FieldVisitor& v) {
  v.field("enabled", enabled, "Keep the epoch that is best on held-out training speakers");
  v.field("patience", patience, "Epochs without improvement before stopping", Range{1, 1e6});
}

void TrainingOptions::visit(FieldVisitor& v) {
  v.field("epochs", epochs, "Passes over the training clips", Range{1, 1e6});
  v.field("batch_size", batch_size, "Clips a step", Range{1, 1e6});
  v.field("shard_size", shard_size, "Clips whose gradient one thread computes", Range{1, 1e6});
  v.field("learning_rate", learning_rate, "Peak of the schedule", Range{0, 1000}.above());
  v.group("optimizer", optimizer);
  v.group("schedule", schedule);
  v.field("label_smoothing", label_smoothing, "Share of the target spread over all classes",
          Range{0, 1}.below());
  v.field("gradient_clip", gradient_clip, "Largest norm of the gradient; 0: any", Range{0, 1e6});
  v.field("weight_average", weight_average, "Decay of the weights' running average; 0: none",
          Range{0, 1}.below());
  v.field("norm_momentum", norm_momentum, "Of batch normalisation's running statistics",
          Range{0, 1}.above());
  v.field("one_version", one_version,
          "An epoch takes one version of a clip, drawn among the original and its copies");
  v.field("balance_classes", balance_classes, "Let every emotion of a corpus count alike");
  v.field("listeners", listeners,
          "Share of an emotion's target that listeners' votes make, where a clip has some",
          Range{0, 1});
  v.field("epoch_clips", epoch_clips, "Recordings in an epoch, at most; 0: all", Range{0, 1e9});
  v.field("corpus_share", corpus_share,
          "Corpora share an epoch by their size to this power: 1 as they are, 0 alike",
          Range{0, 1});
  v.field("crop_frames", crop_frames,
          "Frames that an epoch takes of a clip, at most (of more than 6000: 300), in one place "
          "drawn anew; 0: all",
          Range{0, 1e9});
  v.group("tasks", tasks);
  v.group("augmentation", augmentation);
  v.group("early_stopping", early_stopping);
}

void Recipe::visit(FieldVisitor& v) {
  v.field("description", description, "What the recipe is for");
  v.field("features", features, "Feature preset it is made for");
  v.field("members", members, "Networks trained from different seeds and averaged", Range{1, 64});
  v.field("gender_only", gender_only, "Beside other networks only its gender counts");
  v.field("emotion_only", emotion_only, "Beside other networks only its emotion counts");
  v.field("temperature", temperature,
          "Divides the emotions' logits; fitted on validation speakers (ser-eval prints the best)",
          Range{0.01, 100});
  v.group("scaler", scaler);
  v.group("listening", listening);
  v.group("network", network);
  v.group("training", training);
}

void Recipe::validate() const {
  check_ranges(*this);
  listening.validate();
  if (gender_only && emotion_only)
    fail("gender_only and emotion_only: expected one of them at most, found both");
  if (listening.enabled && scaler.kind != ScalerOptions::Kind::kRows)
    fail("listening: expected the scaler 'rows', in whose units a voice is measured");
}

std::vector<std::string> recipe_preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, json] : kRecipePresets) names.emplace_back(name);
  return names;
}

Recipe load_recipe(std::string_view name_or_path) {
  for (const auto& preset : kRecipePresets)
    if (preset.first == name_or_path)
      return with_context(fmt::format("recipe '{}'", preset.first),
                          [&] { return parse_recipe(preset.second); });
  const std::filesystem::path path(name_or_path);
  if (!std::filesystem::exists(path)) {
    const std::vector<std::string> names = recipe_preset_names();
    fail("expected a recipe file or one of {}, found '{}'{}", join(names, ", "), name_or_path,
         did_you_mean(name_or_path, names));
  }
  expect_kind(path, FileKind::kRecipe);
  const std::string text = read_file(path, kMaxRecipeBytes);
  return with_context(path.string(), [&] { return parse_recipe(text); });
}

}  // namespace ser
