#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/predict.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/core/rng.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

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

TEST_F(Predict, TakesEveryRecordingOfAFolder) {
  const std::string latin = "happy/latin-\xe9.flac";
  for (const std::string& name :
       {std::string("beside.flac"), std::string("happy/a.FLAC"), std::string("happy/no-suffix"),
        std::string("sad/03-01-05-01-01-01-01.flac"), latin}) {
    std::filesystem::create_directories((folder_ / ("in/" + name)).parent_path());
    std::filesystem::copy_file(demo_clip(5), folder_ / ("in/" + name));
  }
  folder_.add("in/happy/notes.txt", "text");
  const Outcome done = predict({"--json", (folder_ / "in").string()});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const std::vector<std::string> lines = lines_of(done.out);
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(Json::parse(lines[2])["file"].get<std::string>(), EndsWith("latin-\uFFFD.flac"));
}

TEST_F(Predict, SaysWhichSoundOfAFolderItCannotRead) {
  std::filesystem::create_directory(folder_ / "in");
  std::filesystem::copy_file(demo_clip(5), folder_ / "in/a.flac");
  folder_.add("in/b.m4a", "x");
  const Outcome done = predict({"--csv", (folder_ / "in").string()});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(lines_of(done.out), SizeIs(2));
  EXPECT_THAT(done.err, HasSubstr("left out: 1 .m4a file"));
}

TEST_F(Predict, NamesInBracketsAreNames) {
  for (const char* name : {"[anna]", "[2026-01-01, noon]", "anna"})
    std::filesystem::copy_file(demo_clip(5), folder_ / name);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  const Outcome done = predict({"--csv", "[anna]", "[2026-01-01, noon]"});
  std::filesystem::current_path(before);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const std::vector<std::string> lines = lines_of(done.out);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[1], StartsWith("[anna],"));
  EXPECT_THAT(lines[2], StartsWith("\"[2026-01-01, noon]\","));
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
  EXPECT_THAT(nothing.err, HasSubstr("expected a folder with recordings, found nothing"));
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

TEST_F(Predict, APipeIsReadOnce) {
  const std::string pipe = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{pipe, pipe}, {pipe, "--enroll", pipe}}) {
    const Outcome twice = predict(arguments);
    EXPECT_EQ(twice.exit_code, 2);
    EXPECT_THAT(twice.err, HasSubstr("pipe once, found it twice"));
  }
}

TEST_F(Predict, SilenceHasNeitherEmotionNorGender) {
  const std::string silence = (folder_ / "silence.wav").string();
  write_wav(silence, {Eigen::VectorXf::Zero(16000), 16000});
  const Json json = Json::parse(predict({silence, "--json"}).out);
  EXPECT_EQ(json["speech"], false);
  EXPECT_TRUE(json["emotion"].is_null());
  EXPECT_TRUE(json["gender"].is_null());
  EXPECT_THAT(predict({silence}).out, HasSubstr("no speech"));
  EXPECT_THAT(predict({silence, "--csv"}).out, HasSubstr("silence.wav,,,false,"));
}

TEST_F(Predict, NoiseAndTonesHaveNeitherEmotionNorGender) {
  Rng rng(1, 0);
  Waveform noise{Eigen::VectorXf(32000), 16000}, tone = noise;
  for (float& sample : noise.samples) sample = static_cast<float>(0.1 * rng.normal());
  for (Eigen::Index i = 0; i < 32000; ++i)
    tone.samples[i] = 0.5f * std::sin(0.1f * static_cast<float>(i));
  write_wav(folder_ / "noise.wav", noise);
  write_wav(folder_ / "tone.wav", tone);
  for (const char* name : {"noise.wav", "tone.wav"}) {
    const Json json = Json::parse(predict({(folder_ / name).string(), "--json"}).out);
    EXPECT_EQ(json["speech"], false) << name;
    EXPECT_TRUE(json["emotion"].is_null()) << name;
    EXPECT_TRUE(json["gender"].is_null()) << name;
  }
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
  ASSERT_EQ(::setenv("SER_MODELS", "", 1), 0);
  EXPECT_EQ(run("ser-predict", {demo_clip(1)}).exit_code, 0) << "as if it were not set";
  ASSERT_EQ(::setenv("SER_MODELS", folder_.path().c_str(), 1), 0);
  EXPECT_EQ(run("ser-predict", {"--model", "model", demo_clip(1)}).exit_code, 0);
  EXPECT_EQ(run("ser-predict", {"--model", "best", demo_clip(1)}).exit_code, 0) << "a shipped one";
  const Outcome missing = run("ser-predict", {"--model", "modell", demo_clip(1)});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, AllOf(HasSubstr(folder_.path().string()),
                                 HasSubstr("'modell' (did you mean 'model'?)")));
  ASSERT_EQ(::setenv("SER_MODELS", "/nowhere", 1), 0);
  EXPECT_THAT(run("ser-predict", {demo_clip(1)}).err,
              HasSubstr("SER_MODELS: expected a folder of models, found none: /nowhere"));
  ASSERT_EQ(::setenv("SER_MODELS", folder_.path().c_str(), 1), 0);
  std::filesystem::rename(model_, folder_ / "default.json");
  EXPECT_EQ(run("ser-predict", {demo_clip(1)}).exit_code, 0);
  ASSERT_EQ(::unsetenv("SER_MODELS"), 0);
}

TEST_F(Predict, ControlCharactersOfNamesDoNotReachTheTerminal) {
  const Outcome missing = predict({"no\rsuch\x1b[31m.wav"});
  EXPECT_THAT(lines_of(missing.err), ElementsAre(HasSubstr("no?such?[31m.wav")));
}

TEST_F(Predict, RefusesContradictionsAsWrongUsage) {
  EXPECT_EQ(predict({demo_clip(1), "--json", "--csv"}).exit_code, 2);
  const std::string json = folder_.add("json.toml", "json = true\n").string();
  EXPECT_THAT(predict({demo_clip(1), "--config", json}).out, StartsWith("{"));
  EXPECT_THAT(predict({demo_clip(1), "--config", json, "--csv"}).out, StartsWith("file,"))
      << "the command line wins";
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
