#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/thread_team.h"
#include "train/recipes.h"

namespace ser {
namespace {

using testing::HasSubstr;

/// A training that keeps a checkpoint, and the bytes that it comes to undisturbed.
struct KeptTraining {
  const FeatureTable table = synthetic_table(6, 4);
  const Recipe recipe = drawing_recipe();
  const TrainingData data{table, all_of_table(table), {}};
  const std::string expected = bytes_of(train(data, recipe, {1, kWholeCorpus, 1}));
  const TempFolder folder;

  RunOptions run() const {
    RunOptions run{1, kWholeCorpus, 1};
    run.checkpoint = folder / "c";
    return run;
  }
  std::string bytes(const RunOptions& run) const { return bytes_of(train(data, recipe, run)); }
};

TEST(Trainer, GoesOnWithAnotherNumberOfProcesses) {
  const KeptTraining kept;
  RunOptions first = kept.run();
  first.stop = [asked = 0]() mutable { return ++asked == 9; };
  EXPECT_THROW(kept.bytes(first), Stopped);
  run_as_team(3, [&](Team& team) {
    RunOptions run = kept.run();
    run.team = &team;
    run.resume = true;
    EXPECT_EQ(kept.bytes(run), kept.expected);
  });
}

TEST(Checkpoint, StoppedAnywhereAndResumedGivesTheSameBits) {
  const FeatureTable table = two_corpora(6, 4);
  std::vector<int> train_clips, validation;
  for (std::size_t i = 0; i < table.size(); ++i)
    (table.clips[i].speaker < "6" ? train_clips : validation).push_back(static_cast<int>(i));
  Recipe recipe = drawing_recipe();
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
  const auto refused = [&](const TrainingData& found, const Recipe& recipe, const char* what) {
    EXPECT_ERROR(train(found, recipe, run),
                 HasSubstr(std::string("another recipe, seed or data: ") + what));
  };
  Recipe other = small_recipe();
  other.training.learning_rate = 0.02;
  refused(data, other, "recipe.training.learning_rate is 0.01 there, 0.02 asked for");
  other = small_recipe();
  other.training.epochs = 77;
  refused(data, other, "recipe.training.epochs is");
  other = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 5}]}})", other);
  refused(data, other, "recipe.network.layers differs");
  std::vector<int> fewer = all_of_table(table);
  fewer.pop_back();
  refused({table, fewer, {}}, small_recipe(), "clips or features differ");
  FeatureTable renamed = synthetic_table(4, 2);
  renamed.clips[0].speaker = "somebody else";
  refused({renamed, all_of_table(renamed), {}}, small_recipe(), "clips or features differ");
  run.seed = 4;
  refused(data, small_recipe(), "seed is 3 there, 4 asked for");
}

TEST(Checkpoint, OneThatIsGoneMeanwhileIsBegunAnew) {
  const KeptTraining kept;
  RunOptions run = kept.run();
  run.observer = [&](const EpochReport&) { std::filesystem::remove(run.checkpoint); };
  EXPECT_EQ(kept.bytes(run), kept.expected);
  kept.folder.add("c", "something else");
  run.observer = [&](const EpochReport& report) {
    if (report.member == 0) kept.folder.add("c", "something else");
  };
  EXPECT_EQ(kept.bytes(run), kept.expected);
  run.observer = nullptr;
  run.resume = true;  // what is kept of the last member alone
  EXPECT_EQ(kept.bytes(run), kept.expected);
}

TEST(Checkpoint, DivergingLossLeavesTheLastGoodOne) {
  const FeatureTable table = synthetic_table(4, 2);
  const TempFolder folder;
  Recipe recipe = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 16}]}})", recipe);
  recipe.training.learning_rate = 1000;
  recipe.training.epochs = 200;
  RunOptions run{3, 0, 1};
  run.checkpoint = folder / "c.safetensors";
  EXPECT_THROW(train({table, all_of_table(table), {}}, recipe, run), Error);
  run.resume = true;  // it can be gone on from, to the same end
  EXPECT_ERROR(train({table, all_of_table(table), {}}, recipe, run), HasSubstr("diverges"));
}

}  // namespace
}  // namespace ser
