#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"
#include "ser/audio/audio_file.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// A model of two actors and every emotion.
class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string features = (folder_ / "features").string();
    for (const Outcome& done : {run("ser-extract", {demo_actor(1), demo_actor(2), "--features",
                                                    "classic", "-o", features}),
                                run("ser-train", {features, "--epochs", "5", "-o", model_})})
      ASSERT_EQ(done.exit_code, 0) << done.err;
  }

  Outcome predict(std::vector<std::string> arguments, const RunOptions& options = {}) const {
    arguments.insert(arguments.begin(), {"--model", model_});
    return run("ser-predict", std::move(arguments), options);
  }

  TempFolder folder_;
  std::string model_ = (folder_ / "model.json").string();
};

TEST_F(Predict, PrintsATable) {
  const Outcome done = predict({demo_clip(5)});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.err, IsEmpty());
  const std::vector<std::string> lines = lines_of(done.out);
  ASSERT_THAT(lines, SizeIs(10));
  EXPECT_EQ(lines[0], demo_clip(5));
  EXPECT_THAT(lines[1], HasSubstr("voice ("));
  EXPECT_THAT(lines[2], HasSubstr(" %"));
}

TEST_F(Predict, PrintsJsonWithItsKeysInOrder) {
  const Outcome done = predict({demo_clip(5), "--json"});
  EXPECT_EQ(done.exit_code, 0);
  ASSERT_THAT(lines_of(done.out), SizeIs(1));
  const Json json = Json::parse(done.out);
  EXPECT_THAT(keys_of(json), ElementsAre("file", "emotion", "gender", "probabilities",
                                         "gender_probabilities", "speech", "uncertain"));
  EXPECT_EQ(json["file"], demo_clip(5));
  EXPECT_EQ(json["speech"], true);
  EXPECT_THAT(
      keys_of(json["probabilities"]),
      ElementsAre("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"));
  EXPECT_THAT(keys_of(json["gender_probabilities"]), ElementsAre("male", "female"));
  double sum = 0;
  for (const auto& [name, share] : json["probabilities"].items()) sum += share.get<double>();
  EXPECT_NEAR(sum, 1, 1e-6);
}

TEST_F(Predict, PrintsCsvWithAHeader) {
  const Outcome done = predict({demo_clip(1), demo_clip(2), "--csv"});
  const std::vector<std::string> lines = lines_of(done.out);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0],
            "file,emotion,gender,speech,uncertain,neutral,calm,happy,sad,angry,fearful,disgust,"
            "surprised,male,female");
  EXPECT_THAT(lines[2], StartsWith(demo_clip(2) + ","));
}

TEST_F(Predict, ShowsTheMostLikelyClassesOnly) {
  EXPECT_THAT(lines_of(predict({demo_clip(5), "--top-k", "3"}).out), SizeIs(5));
  const Json json = Json::parse(predict({demo_clip(5), "--top-k", "2", "--json"}).out);
  ASSERT_THAT(json["probabilities"], SizeIs(2));
  EXPECT_EQ(json["probabilities"].begin().key(), json["emotion"]);
}

TEST_F(Predict, OneBadFileLeavesTheOthers) {
  const std::string broken = folder_.add("broken.wav", "RIFF").string();
  const Outcome done = predict({demo_clip(1), broken, demo_clip(2), "--json", "-q"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(lines_of(done.err), ElementsAre(HasSubstr("broken.wav: expected")));
  const std::vector<std::string> lines = lines_of(done.out);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(Json::parse(lines[0])["file"], demo_clip(1));
  EXPECT_EQ(Json::parse(lines[1])["file"], demo_clip(2));
}

TEST_F(Predict, TakesFolders) {
  const std::vector<std::string> lines = lines_of(predict({demo_actor(3), "--json"}).out);
  ASSERT_THAT(lines, SizeIs(16));
  EXPECT_EQ(Json::parse(lines[0])["file"], demo_actor(3) + "/03-01-01-01-01-01-03.flac");
  const std::string empty = (folder_ / "empty").string();
  std::filesystem::create_directory(empty);
  const Outcome nothing = predict({empty});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("expected a folder with audio files, found nothing"));
}

TEST_F(Predict, ReadsOneFileFromStandardInput) {
  RunOptions options;
  options.standard_input = demo_clip(5);
  const Outcome piped = predict({"-", "--json"}, options);
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  Json from_pipe = Json::parse(piped.out);
  Json from_file = Json::parse(predict({demo_clip(5), "--json"}).out);
  EXPECT_EQ(from_pipe["file"], "-");
  from_pipe.erase("file");
  from_file.erase("file");
  EXPECT_EQ(from_pipe, from_file);

  const Outcome empty = predict({"-"});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("standard input"));
  EXPECT_EQ(predict({"-", "-"}).exit_code, 2);
}

TEST_F(Predict, SilenceHasNoEmotion) {
  const std::string silence = (folder_ / "silence.wav").string();
  write_wav(silence, {Eigen::VectorXf::Zero(16000), 16000});
  const Json json = Json::parse(predict({silence, "--json"}).out);
  EXPECT_EQ(json["speech"], false);
  EXPECT_TRUE(json["emotion"].is_null());
  EXPECT_TRUE(json["gender"].is_string());
  EXPECT_THAT(predict({silence}).out, HasSubstr("no speech"));
  EXPECT_THAT(predict({silence, "--csv"}).out, HasSubstr("silence.wav,,"));
}

TEST_F(Predict, SaysTheSameForAnyNumberOfThreads) {
  const std::string one = predict({demo_actor(1), "--json", "--threads", "1"}).out;
  for (const char* threads : {"2", "7"}) {
    const Outcome more = predict({demo_actor(1), "--json", "--threads", threads});
    EXPECT_EQ(more.out, one);
    EXPECT_THAT(more.err, IsEmpty());
  }
}

TEST_F(Predict, FailsWhereItsOutputCannotBeWritten) {
  RunOptions options;
  options.standard_output = "/dev/full";
  for (const char* format : {"--json", "--csv", "--top-k=8"}) {
    const Outcome failed = predict({demo_clip(1), format}, options);
    EXPECT_EQ(failed.exit_code, 1) << format;
    EXPECT_THAT(lines_of(failed.err), ElementsAre(HasSubstr("standard output: writing failed")));
  }
}

TEST_F(Predict, FindsModelsByName) {
  ASSERT_EQ(::setenv("SER_MODELS", folder_.path().c_str(), 1), 0);
  EXPECT_EQ(run("ser-predict", {"--model", "model", demo_clip(1)}).exit_code, 0);
  const Outcome missing = run("ser-predict", {"--model", "modell", demo_clip(1)});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, AllOf(HasSubstr(folder_.path().string()), HasSubstr("'modell'")));
  std::filesystem::rename(model_, folder_ / "default.json");
  EXPECT_EQ(run("ser-predict", {demo_clip(1)}).exit_code, 0);
}

TEST_F(Predict, RefusesContradictionsAsWrongUsage) {
  EXPECT_EQ(predict({demo_clip(1), "--json", "--csv"}).exit_code, 2);
  EXPECT_EQ(predict({demo_clip(1), "--top-k", "0"}).exit_code, 2);
}

TEST_F(Predict, RefusesAModelCutShort) {
  const std::string text = text_of(model_);
  const std::string torn = folder_.add("torn.json", text.substr(0, text.size() / 2)).string();
  const Outcome refused = run("ser-predict", {"--model", torn, demo_clip(1)});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(lines_of(refused.err), ElementsAre(HasSubstr("torn.json: ")));
}

}  // namespace
}  // namespace ser
