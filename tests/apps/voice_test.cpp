#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/predict.h"
#include "ser/audio/audio_file.h"
#include "support/paths.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Json = nlohmann::ordered_json;

/// A model that listens, and trusts a voice whose clips differ in emotion at all.
class PredictVoice : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    const std::string recipe = folder_
                                   .add("recipe.json", R"({
      "features": "classic",
      "listening": {"enabled": true, "diversity_low": 0, "diversity_high": 1e-6},
      "network": {"layers": [{"type": "dense", "units": 8}]},
      "training": {"epochs": 2}})")
                                   .string();
    const std::string deaf = folder_
                                 .add("deaf-recipe.json", R"({
      "features": "classic",
      "network": {"layers": [{"type": "dense", "units": 8}]},
      "training": {"epochs": 2}})")
                                 .string();
    model_ = train(recipe, "listening.json");
    blind_ = train(deaf, "deaf.json");
  }

  std::string train(const std::string& recipe, const std::string& name) const {
    const std::string model = (folder_ / name).string();
    const Outcome done =
        run("ser-train", {(folder_ / "features").string(), "--recipe", recipe, "-o", model});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return model;
  }

  /// What is said of recordings, one a line.
  std::vector<Json> said(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Outcome done = predict(std::move(arguments));
    EXPECT_EQ(done.exit_code, 0) << done.err;
    std::vector<Json> answers;
    for (const std::string& line : lines_of(done.out)) answers.push_back(Json::parse(line));
    return answers;
  }

  std::string blind_;
  std::string kept_ = (folder_ / "anna.json").string();
};

TEST_F(PredictVoice, AnswersByTheVoiceEnrolled) {
  const Json alone = said({demo_clip(5)})[0];
  EXPECT_FALSE(alone.contains("heard_s"));
  const Json one = said({"--enroll", demo_actor(1), demo_clip(5)})[0];
  const Json other = said({"--enroll", demo_actor(2), demo_clip(5)})[0];
  const Json both = said({"--enroll", demo_actor(1), "--enroll", demo_clip(4), demo_clip(5)})[0];
  EXPECT_GT(one["heard_s"], 10);
  EXPECT_GT(both["heard_s"], one["heard_s"]);
  EXPECT_NE(one["probabilities"], other["probabilities"]);
  EXPECT_NE(one["probabilities"], alone["probabilities"]);
}

TEST_F(PredictVoice, OfOneFileOneClipLongTellsTheSameEmotion) {
  const Json alone = said({demo_clip(5)})[0];
  const Json heard = said({"--enroll", demo_clip(4), demo_clip(5)})[0];
  EXPECT_EQ(heard["probabilities"], alone["probabilities"]);
  EXPECT_GT(heard["heard_s"], 1);
}

TEST_F(PredictVoice, IsRememberedFromRunToRun) {
  const std::string a = demo_clip(3), b = demo_clip(4), c = demo_clip(5);
  const std::vector<Json> whole = said({"--one-speaker", a, b, c});
  EXPECT_FALSE(whole[0].contains("heard_s"));
  EXPECT_EQ(whole[0], said({a})[0]);
  EXPECT_NE(whole[2]["probabilities"], said({c})[0]["probabilities"]);
  said({"--remember", kept_, a});
  said({"--remember", kept_, b});
  const std::string kept = text_of(kept_);
  EXPECT_EQ(said({"--remember", kept_, "--no-adapt", c})[0], whole[2]);
  EXPECT_EQ(text_of(kept_), kept);
  EXPECT_EQ(said({"--remember", kept_, c})[0], whole[2]);
  EXPECT_NE(text_of(kept_), kept);
}

TEST_F(PredictVoice, IsKeptThoughTheReaderLeaves) {
  const std::string program = (program_folder() / "ser-predict").string();
  const std::string words = " --model " + model_ + " -q --remember " + kept_ + " " + demo_actor(1);
  ASSERT_EQ(std::system((program + words + " | true").c_str()), 0);
  EXPECT_TRUE(std::filesystem::exists(kept_));
}

TEST_F(PredictVoice, OfAnotherProgramIsNotReplaced) {
  const std::filesystem::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread other([&] {
    std::ofstream sound(pipe, std::ios::binary);  // opens when the first one does, which waits
    EXPECT_EQ(predict({"--remember", kept_, demo_clip(3)}).exit_code, 0);
    sound << text_of(demo_clip(4));
  });
  const Outcome first = predict({"--remember", kept_, pipe.string()});
  other.join();
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.err, HasSubstr("another program has kept the voice meanwhile"));
}

TEST_F(PredictVoice, IsMadeWithoutInput) {
  EXPECT_THAT(said({"--enroll", demo_actor(1), "--remember", kept_}), IsEmpty());
  EXPECT_EQ(said({"--remember", kept_, demo_clip(5)})[0],
            said({"--enroll", demo_actor(1), demo_clip(5)})[0]);
}

TEST_F(PredictVoice, IsHeardInTimelinesUnlessToldNotTo) {
  const Waveform clip = read_audio(demo_clip(5));
  const std::string talk = (folder_ / "talk.wav").string();
  write_wav(talk, {clip.samples.replicate(4, 1), clip.sample_rate_hz});
  const std::vector<Json> adapted = said({"--every-window", "--window", "2", talk});
  const std::vector<Json> blind = said({"--every-window", "--window", "2", talk, "--no-adapt"});
  EXPECT_FALSE(adapted.front().contains("heard_s"));
  EXPECT_GT(adapted.back()["heard_s"], 3);
  EXPECT_FALSE(blind.back().contains("heard_s"));
  ASSERT_EQ(adapted.size(), blind.size());
  EXPECT_NE(adapted.back()["probabilities"], blind.back()["probabilities"]);
}

TEST_F(PredictVoice, FilesThatAreNoVoiceOfTheModelAreLeftAlone) {
  const std::string other = folder_.add("other.json", "{}").string();
  const Outcome done = predict({"--remember", other, demo_clip(5)});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("other.json is there and is not a kept voice"));
  EXPECT_EQ(text_of(other), "{}");
  EXPECT_THAT(predict({"--remember", (folder_ / "no/v.json").string(), demo_clip(5)}).err,
              HasSubstr("/no: expected a folder to write to"));
  std::filesystem::create_directory(folder_ / "empty");
  const Outcome empty = predict({"--enroll", (folder_ / "empty").string(), demo_clip(5)});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("expected a folder with"));
  const std::string silence = (folder_ / "silence.wav").string();
  write_wav(silence, {Eigen::VectorXf::Zero(16000), 16000});
  EXPECT_THAT(predict({"--enroll", silence, demo_clip(5)}).err, HasSubstr("expected speech in"));
  const std::string text = folder_.add("text.wav", "no sound").string();
  EXPECT_EQ(predict({"--enroll", text, demo_clip(5)}).exit_code, 1);
  const Outcome most = predict({"--enroll", text, "--enroll", demo_actor(1), demo_clip(5)});
  EXPECT_EQ(most.exit_code, 0);
  EXPECT_THAT(most.err, AllOf(HasSubstr("--enroll: left out: " + text + ": expected"),
                              HasSubstr("16 recordings of the voice heard")));
  EXPECT_THAT(predict({"--remember", kept_, silence}).err, HasSubstr("nothing is kept"));
  EXPECT_FALSE(std::filesystem::exists(kept_));
}

TEST_F(PredictVoice, IsOfTheModelThatHeardIt) {
  said({"--remember", kept_, demo_clip(3)});
  const auto with_model = [&](const std::string& model) {
    return run("ser-predict", {"--model", model, "--remember", kept_, "--no-adapt", demo_clip(5)});
  };
  const std::string calibrated = (folder_ / "calibrated.json").string();
  ASSERT_EQ(
      run("ser-train", {"--combine", model_, "--temperature", "2", "-o", calibrated}).exit_code, 0);
  EXPECT_EQ(with_model(calibrated).exit_code, 0);
  const std::string other = (folder_ / "other-seed.json").string();
  ASSERT_EQ(run("ser-train", {(folder_ / "features").string(), "--recipe",
                              (folder_ / "recipe.json").string(), "--seed", "2", "-o", other})
                .exit_code,
            0);
  const Outcome refused = with_model(other);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("anna.json: expected a voice that this model heard, found one "
                                     "that another model did: make it anew"));
}

TEST_F(PredictVoice, IsKeptInAFileAlone) {
  const std::string pipe = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Outcome refused = predict({"--remember", pipe, demo_clip(5)});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err,
              HasSubstr("--remember: expected a file to read and write, found none: "));
}

TEST_F(PredictVoice, FlagsThatDoNotGoTogetherAreWrongUsage) {
  for (const char* flag : {"--enroll", "--remember"})
    EXPECT_THAT(run("ser-predict", {"--model", blind_, flag, kept_, demo_clip(5)}).err,
                AllOf(HasSubstr(flag), HasSubstr("does not listen to voices")));
  EXPECT_EQ(run("ser-predict", {"--model", blind_, "--one-speaker", demo_clip(5)}).exit_code, 2);
  EXPECT_THAT(predict({"--no-adapt", "--one-speaker", demo_clip(5)}).err,
              HasSubstr("expected one of them"));
  EXPECT_THAT(predict({"--no-adapt", "--remember", kept_, demo_clip(5)}).err,
              HasSubstr("found no file"));
  EXPECT_THAT(predict({"--live", "-", "--one-speaker"}).err, HasSubstr("found --live"));
}

}  // namespace
}  // namespace ser
