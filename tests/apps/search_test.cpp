#include <gmock/gmock.h>

#include "apps/demo_features.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// Searches around a small network.
class Search : public DemoFeatures {
 protected:
  std::vector<std::string> words(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {features_, "--recipe",       base_, "--search", space_,
                                          "-o",      file("best.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::string base_ = folder_
                          .add("base.json", R"({"network": {"layers": [
      {"type": "dense", "units": 8, "activation": "relu"}]}, "training": {"epochs": 4}})")
                          .string();
  std::string space_ = folder_
                           .add("space.json", R"({"rungs": 2, "folds": "speakers:2", "fields": {
      "training.learning_rate": {"log_uniform": [1e-4, 1e-1]}}})")
                           .string();
};

TEST_F(Search, WritesTheBestRecipeAndPrintsBothScores) {
  const Outcome done =
      succeed("ser-train", words({"--trials", "3", "--cv", "speakers:2", "--checkpoint",
                                  file("search.json"), "--report", file("search.html")}));
  EXPECT_THAT(done.out, AllOf(HasSubstr("best of 3 trials: "), HasSubstr("training.learning_rate"),
                              HasSubstr("flattered"), HasSubstr("UAR, nested")));
  EXPECT_THAT(text_of(file("search.json")), HasSubstr("\"nested\""));
  EXPECT_THAT(text_of(file("search.html")), HasSubstr("What mattered"));
  succeed("ser-train", {features_, "--recipe", file("best.json"), "-o", file("model.json")});
}

TEST_F(Search, InShardsFindsTheSame) {
  const Outcome whole = succeed("ser-train", words({"--trials", "3"}));
  const std::string best = text_of(file("best.json"));
  for (int rung = 0; rung < 2; ++rung)
    for (const char* shard : {"1/2", "2/2"})
      succeed("ser-train", {features_, "--recipe", base_, "--search", space_, "--trials", "3",
                            "--shard", shard, "--checkpoint", file("s.json")});
  const Outcome merged =
      succeed("ser-train", words({"--trials", "3", "--checkpoint", file("s.json"), "--resume"}));
  EXPECT_EQ(merged.out, whole.out);
  EXPECT_THAT(merged.err, Not(HasSubstr("afresh")));
  EXPECT_EQ(text_of(file("best.json")), best);
}

TEST_F(Search, RefusesFlagsThatHaveNoPlace) {
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Outcome done = run("ser-train", arguments);
    EXPECT_EQ(done.exit_code, 2);
    return done.err;
  };
  EXPECT_THAT(refused(words({"--cv", "speakers:2", "--fold", "0"})), HasSubstr("--fold: "));
  EXPECT_THAT(refused(words({"--export", file("x")})), HasSubstr("--export: "));
  EXPECT_THAT(refused(words({"--weights", "f16"})), HasSubstr("--weights: "));
  EXPECT_THAT(refused({"--combine", "m.json", "--search", space_, "-o", file("x")}),
              HasSubstr("--search: "));
  EXPECT_THAT(refused(words({"--resume"})), HasSubstr("--resume: "));
  EXPECT_THAT(refused(words({"--shard", "1/2"})), HasSubstr("--output: "));
  const std::vector<std::string> no_search = {features_, "-o", file("m.json")};
  for (const char* flag : {"--trials", "--shard"}) {
    std::vector<std::string> arguments = no_search;
    arguments.insert(arguments.end(), {flag, "1"});
    EXPECT_THAT(refused(arguments), HasSubstr(std::string(flag) + ": expected --search"));
  }
  const std::vector<std::string> shard = {features_, "--search", space_, "--shard"};
  std::vector<std::string> without_file = shard, no_shard = shard;
  without_file.push_back("1/2");
  EXPECT_THAT(refused(without_file), HasSubstr("--shard: expected --checkpoint"));
  no_shard.insert(no_shard.end(), {"3/2", "--checkpoint", file("s.json")});
  EXPECT_THAT(refused(no_shard), HasSubstr("--shard: "));
}

TEST_F(Search, AnInterruptedOneSaysHowToGoOn) {
  RunOptions interrupt;
  interrupt.interrupt_at = file("s.json");
  const Outcome ended =
      run("ser-train", words({"--trials", "600", "--threads", "1", "--checkpoint", file("s.json")}),
          interrupt);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("the search is saved in " + file("s.json")));
}

TEST_F(Search, TellsWhichTrialsFailed) {
  folder_.add("space.json", R"({"rungs": 1, "folds": "speakers:2", "fields": {
      "training.epochs": [0, 1]}})");
  const Outcome done = succeed("ser-train", words({"--trials", "6"}));
  EXPECT_THAT(done.err, ContainsRegex("warning: [1-5] of 6 trials failed: trial [0-5]: option "
                                      "'training.epochs'"));
}

TEST_F(Search, NamesTheFileOfABadSpace) {
  folder_.add("space.json", R"({"fields": {"training.learning_rat": [1]}})");
  const Outcome refused = run("ser-train", words({}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("did you mean 'learning_rate'?"));
}

}  // namespace
}  // namespace ser
