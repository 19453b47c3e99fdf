#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Four actors of the demo corpus, and barely trained models of the two folds of speakers:2: each
/// heard a woman and a man, without whom there is no gender to tell.
class Robustness : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempFolder;
    for (const char* actor : {"Actor_01", "Actor_02", "Actor_03", "Actor_04"}) {
      fs::create_directories(corpus());
      fs::create_directory_symlink(demo_corpus() / actor, corpus() / actor);
    }
    const std::string features = (*folder_ / "f.safetensors").string();
    run("ser-extract", {corpus().string(), "-o", features});
    for (const char* fold : {"0", "1"})
      run("ser-train", {features, "--epochs", "4", "--cv", "speakers:2", "--fold", fold, "-o",
                        (*folder_ / ("m-" + std::string(fold) + ".json")).string()});
  }
  static void TearDownTestSuite() { delete folder_; }

  static fs::path corpus() { return *folder_ / "corpus"; }
  static Outcome listen(const std::string& scheme, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {corpus().string(), "--models",
                                          (*folder_ / "m-{fold}.json").string(), "--cv", scheme};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run("ser-robustness", arguments);
  }

  static TempFolder* folder_;
};
TempFolder* Robustness::folder_ = nullptr;

TEST_F(Robustness, ScoresEveryConditionTheSameForAnyNumberOfThreads) {
  std::string first;
  for (const char* threads : {"1", "3"}) {
    const std::string file = (*folder_ / "r.json").string();
    const Outcome done = listen("speakers:2", {"--json", file, "--threads", threads});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr("babble, 0 dB SNR"), HasSubstr("% required: ")));
    if (first.empty()) first = text_of(file);
    EXPECT_EQ(text_of(file), first) << threads << " threads";
  }
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(first);
  EXPECT_EQ(json["split"], "speakers:2");
  EXPECT_EQ(json["results"].size(), 1u);
  const nlohmann::ordered_json& conditions = json["results"][0]["conditions"];
  ASSERT_EQ(conditions.size(), 27u);
  EXPECT_EQ(conditions[0]["condition"], "clean");
  EXPECT_EQ(conditions[0]["same_label"], 1.0);
  EXPECT_EQ(conditions[10]["condition"], "16 kHz");
  EXPECT_EQ(conditions[10]["same_label"], 1.0) << "the corpus has 16 kHz already";
  EXPECT_EQ(conditions[26]["condition"], "Ogg Opus");
  EXPECT_NEAR(conditions[26]["kbit_per_s"], 16, 3);
  EXPECT_NEAR(conditions[22]["kbit_per_s"], 64, 1) << "mu-law";
  EXPECT_NEAR(conditions[23]["kbit_per_s"], 13, 1) << "GSM";
  for (const nlohmann::ordered_json& row : conditions)
    for (const char* share : {"uar", "gender_accuracy", "same_label", "same_gender"}) {
      EXPECT_GE(row[share], 0.0);
      EXPECT_LE(row[share], 1.0);
    }
  EXPECT_LT(conditions[3]["same_label"], 1.0) << "as much noise as voice";
}

TEST_F(Robustness, RefusesModelsThatHaveHeardTheClips) {
  const Outcome refused = listen("loso");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err,
              HasSubstr("m-1.json: fold 1 of loso: the model left out fold 1 of speakers:2"));
}

TEST_F(Robustness, RefusesASchemeThatLeavesClipsUntested) {
  const Outcome refused = listen("actors:1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("actors:1: expected a scheme that tests every clip"));
}

TEST_F(Robustness, NeedsATemplate) {
  const Outcome none = run("ser-robustness", {corpus().string()});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("expected --models TEMPLATE"));
  const Outcome wrong = run("ser-robustness", {corpus().string(), "--models", "m.json"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("expected {fold} in 'm.json'"));
}

}  // namespace
}  // namespace ser
