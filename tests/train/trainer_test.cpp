#include "ser/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/corpus/enrollment.h"
#include "support/errors.h"
#include "support/synthetic_table.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::HasSubstr;

Recipe small_recipe() {
  Recipe recipe;
  from_json(R"({
    "network": {"layers": [{"type": "dense", "units": 16}, {"type": "batch_norm", "activation": "relu"},
                           {"type": "dropout", "rate": 0.2}]},
    "training": {"epochs": 12, "batch_size": 24, "shard_size": 6, "learning_rate": 0.01,
                 "label_smoothing": 0.05, "weight_average": 0.9, "tasks": {"gender": 0.5, "intensity": 0.2},
                 "augmentation": {"mixup": 0.2}}
  })",
            recipe);
  return recipe;
}

std::vector<int> all_of_table(const FeatureTable& table) {
  std::vector<int> all(table.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Model train_small(const FeatureTable& table, const Recipe& recipe, std::uint64_t seed,
                  int threads) {
  return train({table, all_of_table(table), {}}, recipe, {seed, kWholeCorpus, threads});
}

double accuracy(const Model& model, const FeatureTable& table, const std::vector<int>& clips) {
  std::vector<Eigen::MatrixXf> features;
  for (const int clip : clips) features.emplace_back(table.clip(static_cast<std::size_t>(clip)));
  const auto predictions = predict(model, {{fingerprint(table.set), features}}, 1);
  double right = 0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    Eigen::Index best = 0;
    predictions[i].emotions.maxCoeff(&best);
    right += model.emotions[static_cast<std::size_t>(best)] ==
             table.clips[static_cast<std::size_t>(clips[i])].emotion;
  }
  return right / static_cast<double>(clips.size());
}

TEST(Trainer, SameBitsForOneTwoAndSevenThreads) {
  const MoreThreadsThanCores seven(8);
  const FeatureTable table = synthetic_table(4, 4);
  Recipe recipe = small_recipe();
  recipe.members = 2;
  const Model one = train_small(table, recipe, 3, 1);
  for (const int threads : {2, 7}) {
    const Model other = train_small(table, recipe, 3, threads);
    for (std::size_t m = 0; m < one.members.size(); ++m) {
      EXPECT_EQ(one.members[m].network.parameters(), other.members[m].network.parameters());
      EXPECT_EQ(one.members[m].network.state(), other.members[m].network.state());
    }
  }
}

TEST(Trainer, SeedStreamAndMemberChangeTheWeights) {
  const FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = small_recipe();
  recipe.members = 2;
  const Model model = train_small(table, recipe, 3, 1);
  const Model other_seed = train_small(table, recipe, 4, 1);
  const Model other_stream = train({table, all_of_table(table), {}}, recipe, {3, 0, 1});
  const auto& weights = model.members[0].network.parameters();
  EXPECT_NE(weights, model.members[1].network.parameters());
  EXPECT_NE(weights, other_seed.members[0].network.parameters());
  EXPECT_NE(weights, other_stream.members[0].network.parameters());
}

TEST(Trainer, LearnsWhatUnseenSpeakersShare) {
  const FeatureTable table = synthetic_table(8, 6);
  std::vector<int> train_clips, test_clips;
  for (std::size_t i = 0; i < table.size(); ++i)
    (table.clips[i].speaker < "7" ? train_clips : test_clips).push_back(static_cast<int>(i));
  Recipe recipe = small_recipe();
  recipe.training.epochs = 40;
  const Model model = train({table, train_clips, {}}, recipe, {1, 0, 0});
  EXPECT_GT(accuracy(model, table, test_clips), 0.9);
}

TEST(Trainer, ModelKeepsEmotionAndGenderAlone) {
  const FeatureTable table = synthetic_table(4, 2);
  const Model model = train_small(table, small_recipe(), 1, 1);
  EXPECT_EQ(model.emotions, (std::vector<std::string>{"neutral", "happy", "sad", "angry"}));
  EXPECT_EQ(model.genders, (std::vector<std::string>{"male", "female"}));
  EXPECT_EQ(model.members[0].network.outputs(), 6);
  EXPECT_EQ(model.training.speakers, (std::vector<std::string>{"synthetic:01", "synthetic:02",
                                                               "synthetic:03", "synthetic:04"}));
}

TEST(Trainer, ClipsWithoutGenderGiveAnEmotionOnlyModel) {
  FeatureTable table = synthetic_table(4, 2);
  table.clips[3].gender.clear();
  const Model model = train_small(table, small_recipe(), 1, 1);
  EXPECT_TRUE(model.genders.empty());
  EXPECT_EQ(model.members[0].network.outputs(), 4);
}

TEST(Trainer, GenderOfNoWeightGivesAnEmotionOnlyModel) {
  Recipe recipe = small_recipe();
  recipe.training.tasks.gender = 0;
  const Model model = train_small(synthetic_table(4, 2), recipe, 1, 1);
  EXPECT_TRUE(model.genders.empty());
  EXPECT_EQ(model.members[0].network.outputs(), 4);
}

TEST(Trainer, ClipsWithoutEmotionAreRefused) {
  FeatureTable table = synthetic_table(4, 2);
  table.clips[3].emotion.clear();
  EXPECT_ERROR(train_small(table, small_recipe(), 1, 1),
               AllOf(HasSubstr(table.clips[3].path), HasSubstr("need labels")));
}

TEST(Trainer, OneEmotionAloneIsRefused) {
  FeatureTable table = synthetic_table(2, 2);
  for (Utterance& clip : table.clips) clip.emotion = "happy";
  EXPECT_ERROR(train_small(table, small_recipe(), 1, 1),
               HasSubstr("at least two emotions, found happy"));
}

TEST(Trainer, DivergingLossStopsWithItsPlace) {
  const FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 16}]}})", recipe);
  recipe.training.learning_rate = 1e30;
  EXPECT_ERROR(train_small(table, recipe, 1, 1),
               AllOf(HasSubstr("epoch"), HasSubstr("batch"), HasSubstr("learning rate 9.")));
}

TEST(Trainer, EarlyStoppingKeepsTheBestEpoch) {
  const FeatureTable table = synthetic_table(6, 4, 0, 2.0);
  std::vector<int> train_clips, validation;
  for (std::size_t i = 0; i < table.size(); ++i)
    (table.clips[i].speaker < "5" ? train_clips : validation).push_back(static_cast<int>(i));
  Recipe recipe = small_recipe();
  recipe.training.epochs = 200;
  recipe.training.weight_average = 0;
  recipe.training.early_stopping = {true, 5};
  double best = 1e9;
  int best_epoch = 0, last_epoch = 0;
  RunOptions run{1, 0, 1};
  run.observer = [&](const EpochReport& report) {
    last_epoch = report.epoch;
    if (*report.validation_loss < best) {
      best = *report.validation_loss;
      best_epoch = report.epoch;
    }
  };
  train({table, train_clips, validation}, recipe, run);
  EXPECT_LT(last_epoch, 200);
  EXPECT_EQ(last_epoch, best_epoch + 5);
}

TEST(Trainer, AnEpochMayTakeOneVersionOfEachClip) {
  FeatureTable table = synthetic_table(4, 2);
  const std::size_t originals = table.size();
  for (std::size_t i = originals / 2; i < originals; ++i)
    table.clips[i] = table.clips[i - originals / 2], table.clips[i].augmentation = "speed:0.9";
  Recipe recipe = small_recipe();
  recipe.training.one_version = true;
  RunOptions run;
  run.observer = [&](const EpochReport& report) { EXPECT_EQ(report.clips, originals / 2); };
  train({table, all_of_table(table), {}}, recipe, run);
}

TEST(Checkpoint, StoppedAnywhereAndResumedGivesTheSameBits) {
  const FeatureTable table = synthetic_table(6, 4);
  std::vector<int> train_clips, validation;
  for (std::size_t i = 0; i < table.size(); ++i)
    (table.clips[i].speaker < "6" ? train_clips : validation).push_back(static_cast<int>(i));
  Recipe recipe = small_recipe();
  recipe.members = 2;
  recipe.training.early_stopping = {true, 20};
  const TrainingData data{table, train_clips, validation};
  const Model straight = train(data, recipe, {3, 0, 1});
  const TempFolder folder;
  RunOptions run{3, 0, 1};
  run.checkpoint = folder / "c.safetensors";
  run.resume = true;
  std::optional<Model> resumed;
  int stops = 0;
  while (!resumed) {  // every seventh batch ends a process
    int batches = 0;
    run.stop = [&] { return ++batches == 7; };
    try {
      resumed = train(data, recipe, run);
    } catch (const Stopped&) {
      ++stops;
    }
  }
  EXPECT_GT(stops, 3);
  for (std::size_t m = 0; m < straight.members.size(); ++m) {
    EXPECT_EQ(straight.members[m].network.parameters(), resumed->members[m].network.parameters());
    EXPECT_EQ(straight.members[m].network.state(), resumed->members[m].network.state());
  }
}

TEST(Checkpoint, OfAnotherRunIsRefused) {
  const FeatureTable table = synthetic_table(4, 2);
  const TempFolder folder;
  RunOptions run{3, 0, 1};
  run.checkpoint = folder / "c.safetensors";
  run.resume = true;
  const TrainingData data{table, all_of_table(table), {}};
  train(data, small_recipe(), run);
  Recipe other = small_recipe();
  other.training.learning_rate = 0.02;
  EXPECT_ERROR(train(data, other, run), HasSubstr("another recipe, seed or data"));
  run.seed = 4;
  EXPECT_ERROR(train(data, small_recipe(), run), HasSubstr("another recipe, seed or data"));
}

TEST(Checkpoint, DivergingLossLeavesTheLastGoodOne) {
  const FeatureTable table = synthetic_table(4, 2);
  const TempFolder folder;
  Recipe recipe = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 16}]}})", recipe);
  recipe.training.learning_rate = 1e15;
  recipe.training.epochs = 200;
  RunOptions run{3, 0, 1};
  run.checkpoint = folder / "c.safetensors";
  EXPECT_THROW(train({table, all_of_table(table), {}}, recipe, run), Error);
  EXPECT_TRUE(std::filesystem::exists(run.checkpoint));
}

TEST(Trainer, EnrolledRecipesWantFeaturesRelativeToTheSpeakersAndOthersDoNot) {
  FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = small_recipe();
  recipe.enrolled = true;
  EXPECT_ERROR(train_small(table, recipe, 1, 1), HasSubstr("relative to their speakers"));
  make_relative_to_speakers(table);
  EXPECT_TRUE(train_small(table, recipe, 1, 1).enrolled());
  recipe.enrolled = false;
  EXPECT_ERROR(train_small(table, recipe, 1, 1), HasSubstr("as they were extracted"));
}

TEST(Trainer, RecipeThatDoesNotFitTheFeaturesIsRefused) {
  const FeatureTable frames = synthetic_table(4, 2, 12);
  EXPECT_ERROR(train_small(frames, small_recipe(), 1, 1), HasSubstr("leaves frames"));
}

}  // namespace
}  // namespace ser
