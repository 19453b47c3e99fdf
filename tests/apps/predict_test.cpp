#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/core/rng.h"
#include "support/xml.h"

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
  EXPECT_THAT(predict({"--remember", kept_, silence}).err, HasSubstr("nothing is kept"));
  EXPECT_FALSE(std::filesystem::exists(kept_));
}

TEST_F(PredictVoice, FlagsThatDoNotGoTogetherAreWrongUsage) {
  for (const char* flag : {"--enroll", "--remember"})
    EXPECT_THAT(run("ser-predict", {"--model", blind_, flag, kept_, demo_clip(5)}).err,
                AllOf(HasSubstr(flag), HasSubstr("does not listen to voices")));
  EXPECT_EQ(run("ser-predict", {"--model", blind_, "--one-speaker", demo_clip(5)}).exit_code, 2);
  EXPECT_THAT(predict({"--no-adapt", demo_clip(5)}).err, HasSubstr("expected a timeline"));
  EXPECT_THAT(predict({"--no-adapt", "--one-speaker", demo_clip(5)}).err,
              HasSubstr("expected one of them"));
  EXPECT_THAT(predict({"--no-adapt", "--remember", kept_, demo_clip(5)}).err,
              HasSubstr("found no file"));
  EXPECT_THAT(predict({"--live", "-", "--one-speaker"}).err, HasSubstr("found --live"));
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

TEST_F(Predict, NoiseAndTonesHaveNoEmotion) {
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
    EXPECT_TRUE(json["gender"].is_string()) << name;
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

/// A recording of a clip, 4 s of silence and another clip.
class PredictTimeline : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    const Waveform first = read_audio(demo_clip(5)), second = read_audio(demo_clip(4));
    Waveform wave{{}, first.sample_rate_hz};
    wave.samples.resize(first.samples.size() + 4 * wave.sample_rate_hz + second.samples.size());
    wave.samples << first.samples, Eigen::VectorXf::Zero(4 * wave.sample_rate_hz), second.samples;
    write_wav(long_, wave);
    duration_s_ = wave.duration_s();
  }

  std::string long_ = (folder_ / "long.wav").string();
  double duration_s_ = 0;
};

TEST_F(PredictTimeline, PrintsSegmentsWithTheirTimes) {
  const Outcome done = predict({long_, "--window", "1", "--hop", "0.5"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(lines_of(done.err), ElementsAre(HasSubstr("s of the voice heard")));
  EXPECT_THAT(predict({long_, "--window", "1", "--no-adapt"}).err, IsEmpty());
  const std::vector<std::string> lines = lines_of(done.out);
  EXPECT_EQ(lines[0], long_);
  EXPECT_THAT(lines[1], StartsWith("     0:00.0     0:0"));
  EXPECT_THAT(lines[1], HasSubstr(" %"));
  EXPECT_THAT(lines, ::testing::Contains(EndsWith("  silence")));
}

TEST_F(PredictTimeline, PrintsJsonThatCoversTheRecording) {
  double end = 0;
  bool silent = false;
  for (const std::string& line : lines_of(predict({long_, "--json", "--hop", "1"}).out)) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json["start"], end);
    EXPECT_EQ(json["emotion"].is_null(), !json["speech"].get<bool>());
    silent = silent || json.value("silence", false);
    end = json["end"];
  }
  EXPECT_NEAR(end, duration_s_, 1e-9);
  EXPECT_TRUE(silent);
}

TEST_F(PredictTimeline, WindowsArePredictedAsIfCutOut) {
  const std::vector<std::string> lines =
      lines_of(predict({long_, "--json", "--window", "1.5", "--every-window", "--no-adapt"}).out);
  ASSERT_GT(lines.size(), 4u);
  const Waveform wave = read_audio(long_);
  const std::string cut = (folder_ / "cut.wav").string();
  for (const std::size_t i : {std::size_t{0}, std::size_t{3}}) {
    const auto rate = static_cast<Eigen::Index>(wave.sample_rate_hz);
    write_wav(cut, {wave.samples.segment(static_cast<Eigen::Index>(i) * rate, 3 * rate / 2),
                    wave.sample_rate_hz});
    Json window = Json::parse(lines[i]);
    Json alone = Json::parse(predict({cut, "--json"}).out);
    EXPECT_EQ(window["start"], static_cast<double>(i));
    EXPECT_EQ(window["end"], static_cast<double>(i) + 1.5);
    for (const char* key : {"file", "start", "end", "silence"}) {
      window.erase(key);
      alone.erase(key);
    }
    EXPECT_EQ(window, alone);
  }
}

TEST_F(PredictTimeline, PrintsCsvWithTimesAndSound) {
  const std::vector<std::string> lines = lines_of(predict({long_, "--csv", "--window", "2"}).out);
  EXPECT_THAT(lines[0], EndsWith(",male,female,start,end,sound"));
  EXPECT_THAT(lines[1], HasSubstr(",0.000,"));
  EXPECT_THAT(lines[1], EndsWith(",speech"));
  EXPECT_THAT(lines, ::testing::Contains(EndsWith(",silence")));
}

TEST_F(PredictTimeline, WritesLabelsAndSubtitles) {
  const std::string labels = (folder_ / "labels.txt").string(), srt = (folder_ / "a.srt").string();
  const Outcome done = predict({long_, "--labels", labels, "--srt", srt, "--json"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const std::vector<std::string> label_lines = lines_of(text_of(labels));
  EXPECT_THAT(label_lines, SizeIs(lines_of(done.out).size()));
  EXPECT_THAT(label_lines[0], StartsWith("0.000000\t"));
  EXPECT_THAT(label_lines, ::testing::Contains(EndsWith("\tsilence")));
  EXPECT_THAT(text_of(srt), StartsWith("1\n00:00:00,000 --> 00:00:0"));
  EXPECT_THAT(text_of(srt), Not(HasSubstr("silence")));
}

TEST_F(PredictTimeline, WritesLabelsOfTheOneRecordingOfAFolder) {
  const std::filesystem::path folder = folder_ / "folder";
  std::filesystem::create_directory(folder);
  std::filesystem::rename(long_, folder / "long.wav");
  std::ofstream(folder / "other.m4a") << "no recording that can be read";
  const std::string labels = (folder_ / "labels.txt").string();
  const Outcome done = predict({folder.string(), "--labels", labels, "--json", "--no-adapt"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(lines_of(done.err), ElementsAre(HasSubstr("left out: ")));
  EXPECT_THAT(lines_of(text_of(labels)), SizeIs(lines_of(done.out).size()));
}

TEST_F(PredictTimeline, SaysTheSameForAnyNumberOfThreadsAndFromStandardInput) {
  const std::string one = predict({long_, "--csv", "--hop", "0.2", "--threads", "1"}).out;
  EXPECT_EQ(predict({long_, "--csv", "--hop", "0.2", "--threads", "7"}).out, one);
  RunOptions options;
  options.standard_input = long_;
  std::string piped = predict({"-", "--csv", "--hop", "0.2"}, options).out;
  for (std::size_t at = 0; (at = piped.find("\n-,", at)) != std::string::npos; ++at)
    piped.replace(at + 1, 1, long_);
  EXPECT_EQ(piped, one);
}

TEST_F(PredictTimeline, DrawsItsPicture) {
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "gnuplot is not there";
  const std::string svg = (folder_ / "a `x` 'y'.svg").string(), png = (folder_ / "a.png").string();
  const Outcome done = predict({long_, "--hop", "0.5", "--plot", svg});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out, predict({long_, "--hop", "0.5"}).out);
  EXPECT_EQ(xml_fault(text_of(svg)), "");
  for (const char* text : {"Time (s)", "Probability", "Waveform and segments", "angry", "calm"})
    EXPECT_THAT(text_of(svg), HasSubstr(">" + std::string(text) + "<"));
  RunOptions options;
  options.standard_input = long_;
  EXPECT_EQ(predict({"-", "--plot", png}, options).exit_code, 0);
  EXPECT_THAT(text_of(png), StartsWith("\x89PNG"));
}

TEST_F(PredictTimeline, OneBadFileLeavesTheOthers) {
  const std::string broken = folder_.add("broken.wav", "RIFF").string();
  const Outcome done = predict({broken, long_, "--window", "3", "--no-adapt"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(lines_of(done.err), ElementsAre(HasSubstr("broken.wav: expected")));
  EXPECT_THAT(done.out, StartsWith(long_));
}

TEST_F(PredictTimeline, RefusesWrongUsage) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {long_, "--window", "0"},
           {long_, "--window", "-1"},
           {long_, "--hop", "0"},
           {long_, "--hop", "nan"},
           {long_, demo_clip(1), "--labels", (folder_ / "l").string()},
           {long_, demo_clip(1), "--plot", (folder_ / "p.svg").string()},
           {long_, "--plot", (folder_ / "p.pdf").string()},
           {"--live", "-", "--plot", (folder_ / "p.svg").string()},
           {long_, "--hop", "1", "--json", "--csv"}}) {
    const Outcome refused = predict(wrong);
    EXPECT_EQ(refused.exit_code, 2) << wrong[1];
    EXPECT_THAT(refused.out, IsEmpty());
  }
  const std::string labels = (folder_ / "labels").string();
  EXPECT_EQ(predict({(folder_ / "none.wav").string(), "--labels", labels}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(labels));
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
  EXPECT_THAT(missing.err, AllOf(HasSubstr(folder_.path().string()),
                                 HasSubstr("'modell' (did you mean 'model'?)")));
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
