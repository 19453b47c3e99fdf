#include "ser/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "support/errors.h"
#include "support/thread_team.h"
#include "train/recipes.h"

namespace ser {
namespace {

using testing::HasSubstr;

Model train_small(const FeatureTable& table, const Recipe& recipe, std::uint64_t seed,
                  int threads) {
  return train({table, all_of_table(table), {}}, recipe, {seed, kWholeCorpus, threads});
}

double accuracy(const Model& model, const FeatureTable& table, const std::vector<int>& clips,
                const HeardClips& heard = {}) {
  std::vector<Eigen::MatrixXf> features;
  for (const int clip : clips) features.emplace_back(table.clip(static_cast<std::size_t>(clip)));
  const auto predictions = predict(model, {{fingerprint(table.set), features}}, heard, 1);
  double right = 0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    Eigen::Index best = 0;
    predictions[i].emotions.maxCoeff(&best);
    right += model.emotions[static_cast<std::size_t>(best)] ==
             table.clips[static_cast<std::size_t>(clips[i])].emotion;
  }
  return right / static_cast<double>(clips.size());
}

TEST(Trainer, SameBytesForAnyNumberOfProcesses) {
  const FeatureTable table = two_corpora(8, 4);
  Recipe recipe = drawing_recipe();
  recipe.training.early_stopping.enabled = true;
  const TrainingData data = training_data(table, all_of_table(table), recipe, 1, kWholeCorpus);
  ASSERT_FALSE(data.validation.empty());
  const std::string expected = bytes_of(train(data, recipe, {1, kWholeCorpus, 1}));
  for (const int ranks : {1, 2, 3, 5}) {
    std::vector<std::string> found(static_cast<std::size_t>(ranks));
    run_as_team(ranks, [&](Team& team) {
      RunOptions run{1, kWholeCorpus, 1};
      run.team = &team;
      found[static_cast<std::size_t>(team.rank())] = bytes_of(train(data, recipe, run));
    });
    EXPECT_THAT(found, testing::Each(expected)) << ranks;
  }
}

TEST(Trainer, ProcessesWithOtherRecipesAreRefused) {
  const FeatureTable table = synthetic_table(4, 2);
  const TrainingData data{table, all_of_table(table), {}};
  run_as_team(2, [&](Team& team) {
    Recipe recipe = small_recipe();
    if (team.rank() == 1)
      from_json(R"({"network": {"layers": [{"type": "dense", "units": 5}]}})", recipe);
    RunOptions run{1, kWholeCorpus, 1};
    run.team = &team;
    EXPECT_ERROR(train(data, recipe, run), HasSubstr("the processes do not work on the same"));
  });
}

TEST(Trainer, SameBitsForOneTwoAndSevenThreads) {
  const MoreThreadsThanCores seven(8);
  const FeatureTable table = two_corpora(6, 4);
  const Recipe recipe = drawing_recipe();
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

TEST(Trainer, ModelRemembersTheRecordingsItWasTrainedOn) {
  FeatureTable table = synthetic_table(4, 2);
  table.clips[0].content = table.clips[3].content = "b0";
  table.clips[2].content = "a0";
  EXPECT_EQ(train_small(table, small_recipe(), 1, 1).training.recordings,
            (std::vector<std::string>{"a0", "b0"}));
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

TEST(Trainer, MoreEmotionsThanAModelFileHoldsAreRefused) {
  FeatureTable table = synthetic_table(7, 36);
  for (std::size_t i = 0; i < table.size(); ++i) table.clips[i].emotion = "e" + std::to_string(i);
  ASSERT_GT(table.size(), 1000u);
  EXPECT_ERROR(train_small(table, small_recipe(), 1, 1), HasSubstr("at most 1000 emotions, found"));
}

TEST(Trainer, OneGenderGivesAnEmotionOnlyModel) {
  FeatureTable table = synthetic_table(4, 2);
  for (Utterance& clip : table.clips) clip.gender = "female";
  EXPECT_TRUE(train_small(table, small_recipe(), 1, 1).genders.empty());
}

TEST(Trainer, ACorpusWithoutGendersLeavesThoseOfAnother) {
  FeatureTable table = two_corpora(4, 2);
  for (Utterance& clip : table.clips)
    if (clip.corpus == "other") clip.gender.clear();
  EXPECT_THAT(train_small(table, small_recipe(), 1, 1).genders,
              testing::ElementsAre("male", "female"));
}

TEST(Trainer, CorporaShareAnEpochAsTheRecipeSays) {
  const FeatureTable table = two_corpora(8, 4);  // 32 and 96 clips
  const auto clips_of_an_epoch = [&](int epoch_clips, double corpus_share) {
    Recipe recipe = small_recipe();
    recipe.training.epochs = 1;
    recipe.training.epoch_clips = epoch_clips;
    recipe.training.corpus_share = corpus_share;
    RunOptions run;
    std::size_t clips = 0;
    run.observer = [&](const EpochReport& report) { clips = report.clips; };
    train({table, all_of_table(table), {}}, recipe, run);
    return clips;
  };
  EXPECT_EQ(clips_of_an_epoch(0, 1), 128u);
  EXPECT_EQ(clips_of_an_epoch(0, 0), 128u);  // 64 of each
  EXPECT_EQ(clips_of_an_epoch(40, 0.5), 40u);
  EXPECT_EQ(clips_of_an_epoch(1000, 1), 128u);
  EXPECT_EQ(clips_of_an_epoch(1, 1), 2u) << "no corpus is left out";
}

TEST(Trainer, AClassThatACorpusLacksIsNotTaughtAsNever) {
  // Test clips are angry ones with the sound of the corpus that has no anger.
  const auto angry_found = [](const std::string& other_corpus) {
    FeatureTable table = two_corpora(8, 6);
    std::vector<int> angry;
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table.clips[i].emotion == "angry") angry.push_back(static_cast<int>(i));
      if (table.clips[i].corpus != "other") continue;
      table.clips[i].corpus = other_corpus;
      table.values.col(static_cast<Eigen::Index>(i)).array() += 0.7f;
    }
    Recipe recipe = small_recipe();
    recipe.training.epochs = 30;
    const Model model = train_small(table, recipe, 1, 0);
    for (const int i : angry) table.values.col(i).array() += 0.7f;
    return accuracy(model, table, angry);
  };
  const double masked = angry_found("other"), taught_as_never = angry_found("synthetic");
  EXPECT_GT(masked, taught_as_never + 0.2);
}

TEST(Trainer, AModelThatListensTellsEmotionsOfAnyVoice) {
  FeatureTable table = synthetic_table(10, 6, 0, 0.3);
  Rng rng(3, 0);
  for (std::size_t i = 0; i < table.size(); i += 24) {  // each speaker far from the others
    Eigen::VectorXf voice(table.values.rows());
    for (float& x : voice) x = static_cast<float>(2.5 * rng.normal());
    table.values.middleCols(static_cast<Eigen::Index>(i), 24).colwise() += voice;
  }
  std::vector<int> train_clips, test_clips;
  for (std::size_t i = 0; i < table.size(); ++i)
    (i < 8 * 24 ? train_clips : test_clips).push_back(static_cast<int>(i));
  Recipe recipe = small_recipe();
  recipe.training.epochs = 40;
  recipe.listening.enabled = true;
  const Model model = train({table, train_clips, {}}, recipe, {1, 0, 0});
  EXPECT_TRUE(model.listens());
  HeardClips others(test_clips.size());
  for (std::size_t i = 0; i < others.size(); ++i)
    for (std::size_t j = i / 24 * 24; j < (i / 24 + 1) * 24; ++j)
      if (j != i) others[i].push_back(static_cast<int>(j));
  EXPECT_GT(accuracy(model, table, test_clips, others), 0.9);
  EXPECT_LT(accuracy(model, table, test_clips), 0.8);
}

TEST(Trainer, ListeningNeedsTheScalersUnits) {
  Recipe recipe = drawing_recipe();
  recipe.scaler.kind = ScalerOptions::Kind::kNone;
  EXPECT_ERROR(recipe.validate(), HasSubstr("listening: expected the scaler 'rows'"));
  recipe = drawing_recipe();
  recipe.listening.draw = "1,-2";
  EXPECT_ERROR(recipe.validate(), HasSubstr("listening.draw"));
}

TEST(Trainer, BatchesOfOneClipAreRefusedWhereTheyAreNormalised) {
  const FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = small_recipe();
  recipe.training.batch_size = 1;
  EXPECT_ERROR(train_small(table, recipe, 1, 1),
               HasSubstr("at least two clips at a time, found 1"));
  recipe.training.batch_size = 8;
  recipe.training.shard_size = 1;
  EXPECT_ERROR(train_small(table, recipe, 1, 1), HasSubstr("raise batch_size and shard_size"));
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 16}]}})", recipe);
  EXPECT_NO_THROW(train_small(table, recipe, 1, 1));
}

TEST(Trainer, AValidationLossThatIsNoNumberStopsIt) {
  FeatureTable table = synthetic_table(6, 4);
  std::vector<int> train_clips, validation;
  for (std::size_t i = 0; i < table.size(); ++i) {
    (table.clips[i].speaker < "5" ? train_clips : validation).push_back(static_cast<int>(i));
    if (table.clips[i].speaker >= "5")
      table.values.col(static_cast<Eigen::Index>(i)).setConstant(3e38f);
  }
  Recipe recipe = small_recipe();
  recipe.scaler.kind = ScalerOptions::Kind::kNone;
  recipe.training.early_stopping = {true, 5};
  EXPECT_ERROR(train({table, train_clips, validation}, recipe, {1, 0, 1}),
               AllOf(HasSubstr("validation loss is no number"), HasSubstr("epoch 1")));
}

TEST(Trainer, DivergingLossStopsWithItsPlace) {
  const FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 16}]}})", recipe);
  recipe.training.learning_rate =
      1000;  // times the weight decay of 0.01: weights grow ninefold a step
  recipe.training.epochs = 200;
  EXPECT_ERROR(train_small(table, recipe, 1, 1), AllOf(HasSubstr("epoch"), HasSubstr("batch"),
                                                       HasSubstr("lower learning_rate (1000 now"),
                                                       HasSubstr("gradient_clip (none now)")));
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
  const Model model = train({table, train_clips, validation}, recipe, run);
  EXPECT_LT(last_epoch, 200);
  EXPECT_EQ(last_epoch, best_epoch + 5);
  // Who chose the epoch is known to the model.
  EXPECT_THAT(model.training.speakers, testing::SizeIs(6));
}

TEST(Trainer, AClassOfValidationSpeakersAloneChoosesNothing) {
  FeatureTable table = synthetic_table(6, 4);
  std::vector<int> train_clips, validation;
  for (std::size_t i = 0; i < table.size(); ++i)
    (table.clips[i].speaker < "5" ? train_clips : validation).push_back(static_cast<int>(i));
  table.clips[static_cast<std::size_t>(validation[0])].emotion = "rare";
  Recipe recipe = small_recipe();
  recipe.training.early_stopping = {true, 5};
  const Model model = train({table, train_clips, validation}, recipe, {1, 0, 1});
  EXPECT_THAT(model.emotions, testing::Not(testing::Contains("rare")));
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

TEST(Trainer, RecipeThatDoesNotFitTheFeaturesIsRefused) {
  const FeatureTable frames = synthetic_table(4, 2, 12);
  EXPECT_ERROR(train_small(frames, small_recipe(), 1, 1),
               AllOf(HasSubstr("made for one vector a clip ('functionals')"), HasSubstr("frames")));
  Recipe of_frames = small_recipe();
  of_frames.features = "frames";
  EXPECT_ERROR(train_small(synthetic_table(4, 2), of_frames, 1, 1),
               HasSubstr("made for frames ('frames'), found one vector a clip"));
  EXPECT_ERROR(train_small(frames, of_frames, 1, 1), HasSubstr("leaves frames"));
}

}  // namespace
}  // namespace ser
