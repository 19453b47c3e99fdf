// Every built-in recipe can learn 32 clips by heart: layers, loss and optimizer work together.

#include <gtest/gtest.h>

#include <numeric>

#include "ser/corpus/corpus.h"
#include "ser/train/trainer.h"

namespace ser {
namespace {

constexpr int kClips = 32;

/// Clips of noise with labels drawn at random: nothing to learn but the clips themselves.
FeatureTable noise_table(const std::string& features) {
  FeatureTable table;
  table.set = parse_feature_set(features);
  table.rows = row_names(table.set);
  const auto rows = static_cast<Eigen::Index>(table.rows.size());
  Rng rng(11, 0);
  table.offsets = {0};
  for (int i = 0; i < kClips; ++i) {
    Utterance clip;
    clip.path = std::to_string(i);
    clip.speaker = std::to_string(i % 4);
    clip.emotion = known_emotions()[rng.below(8)];
    clip.gender = i % 2 ? "male" : "female";
    clip.intensity = i % 3 ? "strong" : "normal";
    table.clips.push_back(clip);
    const int frames = table.set.pool == Pooling::kNone ? 40 + i % 7 : 1;
    table.offsets.push_back(table.offsets.back() + frames);
  }
  table.values.resize(rows, table.offsets.back());
  for (Eigen::Index i = 0; i < table.values.size(); ++i)
    table.values.data()[i] = static_cast<float>(rng.normal());
  return table;
}

class PresetTest : public testing::TestWithParam<std::string> {};

TEST_P(PresetTest, LearnsThirtyTwoClipsByHeart) {
  Recipe recipe = load_recipe(GetParam());
  const FeatureTable table = noise_table(recipe.features);
  recipe.members = 1;
  recipe.training.epochs = 150;
  recipe.training.batch_size = 16;
  recipe.training.augmentation = {};
  recipe.training.weight_average = 0;
  recipe.training.early_stopping = {};
  std::vector<int> all(kClips);
  std::iota(all.begin(), all.end(), 0);
  const Model model = train({table, all, {}}, recipe, {});

  std::vector<Eigen::MatrixXf> clips;
  for (std::size_t i = 0; i < table.size(); ++i) clips.emplace_back(table.clip(i));
  const auto predictions = predict(model, {{fingerprint(table.set), clips}}, {}, 0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    Eigen::Index best = 0;
    predictions[i].emotions.maxCoeff(&best);
    EXPECT_EQ(model.emotions[static_cast<std::size_t>(best)], table.clips[i].emotion) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, PresetTest, testing::ValuesIn(recipe_preset_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace ser
