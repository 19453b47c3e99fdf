#include "ser/eval/search.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>

#include "ser/core/atomic_file.h"
#include "ser/corpus/split.h"
#include "ser/train/trainer.h"
#include "support/errors.h"
#include "support/synthetic_table.h"
#include "support/temp_folder.h"
#include "support/thread_team.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::uint64_t kMax = 1 << 20;

constexpr const char* kSpace = R"({"rungs": 2, "folds": "speakers:2", "fields": {
  "training.learning_rate": {"log_uniform": [1e-5, 1e-1]},
  "training.label_smoothing": {"uniform": [0, 0.3]},
  "network.layers[0].units": [4, 8]}})";

Recipe small_recipe() {
  Recipe recipe = load_recipe("mlp");
  from_json(R"({"members": 1, "listening": {"enabled": false}, "network": {"layers": [
    {"type": "dense", "units": 8, "activation": "relu"}]},
    "training": {"epochs": 6, "batch_size": 8, "shard_size": 8}})",
            recipe);
  return recipe;
}

SearchSpace space_of(const std::string& fields) {
  return parse_search_space("{\"fields\": {" + fields + "}}");
}

TEST(SearchSpace, NeedsFieldsAlone) {
  const SearchSpace space = space_of(R"("training.epochs": [1, 2])");
  EXPECT_EQ(space.method, SearchSpace::Method::kHalving);
  EXPECT_EQ(space.rung_count(), 3);
  EXPECT_EQ(space.folds, "speakers:3");
  EXPECT_THAT(space.fields, SizeIs(1));
  EXPECT_EQ(parse_search_space(R"({"method": "random", "fields": {"x": [1]}})").rung_count(), 1);
}

TEST(SearchSpace, RefusesWhatItDoesNotKnow) {
  EXPECT_ERROR(parse_search_space("{}"), HasSubstr("fields"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {"features": ["classic"]}})"),
               HasSubstr("'features': every trial is trained on the features given"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {}})"), HasSubstr("found none"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {"x": [1]}, "trials": 3})"),
               HasSubstr("unknown option 'trials'"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {"x": [1]}, "method": "grid"})"),
               HasSubstr("'method': expected one of halving, random, found 'grid'"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {"x": [1]}, "reduction": 1})"),
               HasSubstr("'reduction': expected an integer in [2, 100], found 1"));
  EXPECT_ERROR(parse_search_space(R"({"fields": {"x": [1]}, "folds": "speaker:3"})"),
               HasSubstr("'folds': "));
  for (const char* field : {"3", "[]", "{}", R"({"uniform": [1, 2], "log_uniform": [1, 2]})"})
    EXPECT_ERROR(space_of(std::string("\"x\": ") + field), HasSubstr("'x': expected a list"));
  EXPECT_ERROR(space_of(R"("x": {"uniform": [2, 1]})"), HasSubstr("expected [low, high], found"));
  EXPECT_ERROR(space_of(R"("x": {"log_uniform": [0, 1]})"), HasSubstr("numbers above 0"));
  EXPECT_ERROR(space_of(R"("x": {"normal": [0, 1]})"), HasSubstr("unknown key 'normal'"));
}

TEST(Trials, AreThoseOfAShorterSearchFirst) {
  const SearchSpace space = parse_search_space(kSpace);
  const std::vector<Trial> few = draw_trials(space, small_recipe(), 3, 1),
                           many = draw_trials(space, small_recipe(), 20, 1);
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].values, many[i].values);
  EXPECT_NE(draw_trials(space, small_recipe(), 1, 2)[0].values, few[0].values);
}

TEST(Trials, LieInTheirSpace) {
  const SearchSpace space = parse_search_space(kSpace);
  int low = 0;
  std::set<std::string> units;
  for (const Trial& trial : draw_trials(space, small_recipe(), 200, 1)) {
    const TrainingOptions& training = trial.recipe.training;
    EXPECT_GE(training.learning_rate, 1e-5);
    EXPECT_LE(training.learning_rate, 1e-1);
    low += training.learning_rate < 1e-3;
    EXPECT_LE(training.label_smoothing, 0.3);
    units.insert(trial.values[2]);
  }
  EXPECT_NEAR(low, 100, 30);  // the middle of a logarithmic range
  EXPECT_THAT(units, ElementsAre("4", "8"));
}

TEST(Trials, KeepWholeNumbersWhole) {
  const SearchSpace space = space_of(R"("training.batch_size": {"uniform": [4, 64]})");
  for (const Trial& trial : draw_trials(space, small_recipe(), 20, 1))
    EXPECT_EQ(trial.values[0], std::to_string(trial.recipe.training.batch_size));
}

TEST(Trials, NameWhatTheRecipeLacksOrRefuses) {
  const auto draw = [](const std::string& fields) {
    return draw_trials(space_of(fields), small_recipe(), 1, 1);
  };
  EXPECT_ERROR(draw(R"("training.learning_rat": [1])"), HasSubstr("did you mean 'learning_rate'?"));
  EXPECT_ERROR(draw(R"("network.layers[7].units": [1])"), HasSubstr("the recipe has no '7' there"));
  EXPECT_THAT(draw(R"("training.epochs": [0])")[0].failure, HasSubstr("option 'training.epochs'"));
  EXPECT_THAT(draw(R"("training.epochs": ["many"])")[0].failure, HasSubstr("training.epochs"));
  EXPECT_THAT(draw(R"("training.epochs": [1])")[0].failure, "");
}

class Searching : public ::testing::Test {
 protected:
  SearchResult run(SearchRun options = {}) const {
    options.trials = options.trials == 0 ? 7 : options.trials;
    if (options.outer.empty()) options.outer = "speakers:3";
    return search(table_, small_recipe(), space_, options);
  }

  FeatureTable table_ = synthetic_table(6, 2);
  SearchSpace space_ = parse_search_space(kSpace);
  TempFolder folder_;
};

TEST_F(Searching, TrainsTheBestOfARungLonger) {
  const SearchResult result = run();
  EXPECT_THAT(result.epochs, ElementsAre(2, 6));
  std::vector<std::size_t> rungs(3);
  double best_left_behind = 0, worst_promoted = 1;
  for (const TrialScore& trial : result.trials) {
    ++rungs[trial.uar.size()];
    if (trial.uar.size() == 1) best_left_behind = std::max(best_left_behind, trial.uar[0]);
    if (trial.uar.size() == 2) worst_promoted = std::min(worst_promoted, trial.uar[0]);
  }
  EXPECT_THAT(rungs, ElementsAre(0u, 5u, 2u));
  EXPECT_LE(best_left_behind, worst_promoted);
  EXPECT_EQ(result.network_epochs, 2 * (7 * 2 + 2 * 6));
  const TrialScore& best = result.trials[static_cast<std::size_t>(result.best)];
  EXPECT_EQ(result.flattered_uar, best.uar.at(1));
  EXPECT_EQ(std::to_string(result.recipe.training.learning_rate),
            std::to_string(std::stod(best.values[0])));
  EXPECT_GT(result.flattered_uar, 0.5);
}

TEST_F(Searching, AtRandomTrainsEveryTrialInFull) {
  space_.method = SearchSpace::Method::kRandom;
  const SearchResult result = run();
  EXPECT_THAT(result.epochs, ElementsAre(6));
  for (const TrialScore& trial : result.trials) EXPECT_THAT(trial.uar, SizeIs(1));
}

TEST_F(Searching, ScoresEveryClipOnceOutsideOfAnyChoice) {
  const SearchResult result = run();
  ASSERT_TRUE(result.nested.has_value());
  EXPECT_EQ(result.nested->predictions.size(), table_.size());
  EXPECT_THAT(result.outer, SizeIs(3));
}

TEST_F(Searching, OverCorporaAsksForClassesInCommonAlone) {
  for (Utterance& clip : table_.clips) {
    clip.corpus = clip.speaker < "4" ? "blue" : "red";
    if (clip.corpus == "blue" && clip.emotion == "sad") clip.emotion = "bored";
  }
  SearchRun options;
  options.outer = "corpora";
  const SearchResult result = run(options);
  ASSERT_TRUE(result.nested.has_value());
  for (const Prediction& p : result.nested->predictions) {
    EXPECT_EQ(p.probabilities[2], 0) << "sad";
    EXPECT_EQ(p.probabilities[4], 0) << "bored";
  }
}

TEST_F(Searching, ChoosesWithoutTheOuterFold) {
  const SearchResult before = run();
  const Fold fold = make_folds(table_.clips, parse_split_scheme("speakers:3"), 1)[0];
  for (const int i : fold.test) {
    std::string& emotion = table_.clips[static_cast<std::size_t>(i)].emotion;
    emotion = emotion == "happy" ? "sad" : emotion == "sad" ? "happy" : emotion;
  }
  const SearchResult after = run();
  EXPECT_EQ(after.outer[0].best, before.outer[0].best);
  EXPECT_EQ(after.outer[0].inner_uar, before.outer[0].inner_uar);
  EXPECT_LT(after.outer[0].uar, before.outer[0].uar);
  EXPECT_NE(after.flattered_uar, before.flattered_uar);
}

TEST_F(Searching, IsTheSameForAnyNumberOfThreadsAndProcesses) {
  SearchRun one;
  one.threads = 1;
  const std::string expected = search_json(run(one));
  SearchRun four;
  four.threads = 4;
  EXPECT_EQ(search_json(run(four)), expected);
  for (const int ranks : {2, 3}) {
    std::vector<std::string> found(static_cast<std::size_t>(ranks));
    run_as_team(ranks, [&](Team& team) {
      SearchRun shared;
      shared.threads = 1;
      shared.team = &team;
      found[static_cast<std::size_t>(team.rank())] = search_json(run(shared));
    });
    EXPECT_THAT(found, Each(expected));
  }
}

TEST_F(Searching, GoesOnWhereItStopped) {
  SearchRun whole;
  whole.threads = 1;
  whole.file = folder_ / "whole.json";
  run(whole);
  SearchRun parts = whole;
  parts.file = folder_ / "parts.json";
  int asked = 0;
  parts.stop = [&] { return ++asked > 60; };
  EXPECT_THROW(run(parts), Stopped);
  parts.stop = {};
  parts.resume = true;
  std::size_t open = 0;
  parts.observer = [&](std::size_t, std::size_t units) { open = std::max(open, units); };
  run(parts);
  EXPECT_LT(open, 7u * 2 * 4 - 4);  // trials, folds and searches, at least a chunk of them known
  EXPECT_EQ(read_file(parts.file, kMax), read_file(whole.file, kMax));
}

TEST_F(Searching, OfMoreTrialsUsesThoseItKnows) {
  SearchRun fewer;
  fewer.file = folder_ / "search.json";
  fewer.trials = 4;
  run(fewer);
  SearchRun more = fewer;
  more.trials = 6;
  more.resume = true;
  std::size_t open = 0;
  more.observer = [&](std::size_t, std::size_t units) { open = std::max(open, units); };
  run(more);
  EXPECT_EQ(open, 2u * 2 * 4);  // two trials, two folds, four searches
}

TEST_F(Searching, InShardsIsTheSame) {
  SearchRun whole;
  whole.file = folder_ / "whole.json";
  run(whole);
  SearchRun shard;
  shard.file = folder_ / "shards.json";
  shard.trials = 7;
  shard.outer = "speakers:3";
  shard.shards = 3;
  bool done = false;
  for (int rung = 0; rung < 2; ++rung) {
    EXPECT_FALSE(done);
    for (shard.shard = 1; shard.shard <= 3; ++shard.shard)
      done = search_shard(table_, small_recipe(), space_, shard);
  }
  EXPECT_TRUE(done);
  EXPECT_FALSE(std::filesystem::exists(shard.file));
  SearchRun merged;
  merged.file = shard.file;
  merged.resume = true;
  merged.observer = [](std::size_t, std::size_t) { ADD_FAILURE() << "trained again"; };
  run(merged);
  EXPECT_EQ(read_file(merged.file, kMax), read_file(whole.file, kMax));
}

TEST_F(Searching, AFailedShardIsMadeGoodByTheRest) {
  const std::string expected = search_json(run());
  SearchRun shard;
  shard.file = folder_ / "shards.json";
  shard.trials = 7;
  shard.outer = "speakers:3";
  shard.shards = 2;
  shard.shard = 2;
  EXPECT_FALSE(search_shard(table_, small_recipe(), space_, shard));
  SearchRun merged;
  merged.file = shard.file;
  merged.resume = true;
  EXPECT_EQ(search_json(run(merged)), expected);
}

TEST_F(Searching, RefusesTheFileOfAnother) {
  SearchRun options;
  options.file = folder_ / "search.json";
  options.trials = 1;
  run(options);
  std::string damaged = read_file(options.file, kMax);
  damaged.replace(damaged.find("\"scores\": ["), 11, "\"scores\": [[1],");
  options.resume = true;
  options.seed = 2;
  EXPECT_ERROR(run(options), HasSubstr("found another"));
  folder_.add("search.json", "{}");
  EXPECT_ERROR(run(options), HasSubstr("expected the file of a search"));
  folder_.add("search.json", damaged);
  options.seed = 1;
  EXPECT_ERROR(run(options), HasSubstr("search.json: expected a scored training, found [1]"));
}

TEST_F(Searching, TellsWhichTrialOrFoldFails) {
  space_ = parse_search_space(R"({"folds": "speakers:2", "fields": {"training.shard_size": [1]}})");
  Recipe normalised = small_recipe();
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 8}, {"type": "batch_norm"}]}})",
            normalised);
  SearchRun options;
  options.trials = 1;
  EXPECT_ERROR(search(table_, normalised, space_, options), HasSubstr("trial 0: "));
  EXPECT_ERROR(search(table_, normalised, space_, {}), HasSubstr("trials: expected at least 1"));
  space_.folds = "speakers:6";
  options.outer = "loso";
  EXPECT_ERROR(run(options), HasSubstr("outer fold 0: inner folds speakers:6: "));
}

/// A third of the trials is no recipe, and another cannot be trained: it normalises shards of one.
class SearchingWithFailures : public Searching {
 protected:
  SearchingWithFailures() {
    space_ = parse_search_space(R"({"rungs": 2, "reduction": 2, "folds": "speakers:2", "fields": {
      "training.epochs": [0, 4, 6], "training.shard_size": [1, 8]}})");
    from_json(R"({"network": {"layers": [{"type": "dense", "units": 8}, {"type": "batch_norm"}]}})",
              base_);
    whole_.trials = 8;
    whole_.outer = "speakers:3";
    whole_.threads = 1;
    whole_.file = folder_ / "whole.json";
    result_ = search(table_, base_, space_, whole_);
  }
  void expect_same(const SearchRun& run) const {
    EXPECT_EQ(search_json(search(table_, base_, space_, run)), search_json(result_));
    EXPECT_EQ(read_file(run.file, kMax), read_file(whole_.file, kMax));
  }

  Recipe base_ = small_recipe();
  SearchRun whole_;
  SearchResult result_;
};

TEST_F(SearchingWithFailures, TellsWhyAndGoesOnWithTheOthers) {
  int failed = 0;
  for (const TrialScore& trial : result_.trials) {
    const bool no_recipe = trial.values[0] == "0", too_small = trial.values[1] == "1";
    EXPECT_EQ(trial.failure.empty(), !no_recipe && !too_small);
    if (trial.failure.empty()) continue;
    ++failed;
    EXPECT_THAT(trial.failure, HasSubstr(no_recipe ? "'training.epochs'" : "batch_norm"));
    EXPECT_THAT(trial.uar, SizeIs(1)) << "got to another rung";
    EXPECT_TRUE(std::isnan(trial.uar[0]));
  }
  EXPECT_GE(failed, 5) << "as many as would be promoted were some of them";
  EXPECT_EQ(result_.trials[static_cast<std::size_t>(result_.best)].failure, "");
  EXPECT_THAT(read_file(whole_.file, kMax), HasSubstr("\"failure\":\"option 'training.epochs'"));
}

TEST_F(SearchingWithFailures, IsTheSameForThreadsAndProcesses) {
  SearchRun four = whole_;
  four.threads = 4;
  four.file = folder_ / "four.json";
  expect_same(four);
  run_as_team(2, [&](Team& team) {
    SearchRun shared = whole_;
    shared.team = &team;
    shared.file = folder_ / ("team" + std::to_string(team.rank()) + ".json");
    EXPECT_EQ(search_json(search(table_, base_, space_, shared)), search_json(result_));
  });
}

TEST_F(SearchingWithFailures, IsTheSameInShardsAndResumed) {
  SearchRun shard = whole_;
  shard.file = folder_ / "shards.json";
  shard.shards = 2;
  for (int rung = 0; rung < 2; ++rung)
    for (shard.shard = 1; shard.shard <= 2; ++shard.shard)
      search_shard(table_, base_, space_, shard);
  SearchRun merged = whole_;
  merged.file = shard.file;
  merged.resume = true;
  merged.observer = [](std::size_t, std::size_t) { ADD_FAILURE() << "trained again"; };
  expect_same(merged);
  SearchRun parts = whole_;
  parts.file = folder_ / "parts.json";
  int asked = 0;
  parts.stop = [&] { return ++asked > 20; };
  EXPECT_THROW(search(table_, base_, space_, parts), Stopped);
  parts.stop = {};
  parts.resume = true;
  expect_same(parts);
}

TEST_F(Searching, NeedsATrialThatDoesNotFail) {
  space_ = parse_search_space(R"({"folds": "speakers:2", "fields": {
      "training.learning_rate": [1000], "training.epochs": [200]}})");
  SearchRun options;
  options.trials = 2;
  EXPECT_ERROR(search(table_, small_recipe(), space_, options),
               AllOf(HasSubstr("every trial failed, such as trial 0: "), HasSubstr("it diverges")));
}

TEST_F(Searching, TellsOfNoScoreWithoutOuterFolds) {
  SearchRun options;
  options.trials = 2;
  const SearchResult result = search(table_, small_recipe(), space_, options);
  EXPECT_FALSE(result.nested.has_value());
}

TEST(Importance, IsTheShareThatAFieldExplains) {
  SearchResult result;
  result.space = parse_search_space(
      R"({"fields": {"a": [1, 2], "b": {"uniform": [0, 1]}, "c": {"uniform": [0, 1]}}})");
  result.trials = {{{"1", "0.1", "0.2"}, {0.5}},
                   {{"1", "0.2", "0.1"}, {0.5}},
                   {{"2", "0.4", "0.2"}, {0.7}},
                   {{"2", "0.3", "0.1"}, {0.7}},
                   {{"2", "0.9", "0.9"}, {std::numeric_limits<double>::quiet_NaN()}}};
  const std::vector<double> shares = importance(result);
  EXPECT_NEAR(shares[0], 1, 1e-12);
  EXPECT_NEAR(shares[1], 0.8, 1e-12);
  EXPECT_NEAR(shares[2], 0, 1e-12);
}

}  // namespace
}  // namespace ser
