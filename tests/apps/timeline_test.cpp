#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/predict.h"
#include "ser/audio/audio_file.h"
#include "support/wav.h"
#include "support/xml.h"

namespace ser {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

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
    EXPECT_EQ(json["gender"].is_null(), json["emotion"].is_null());
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

TEST_F(PredictTimeline, FilesAreMadeThoughTheReaderLeaves) {
  const std::string labels = (folder_ / "labels.txt").string(), srt = (folder_ / "a.srt").string();
  const std::string program = (program_folder() / "ser-predict").string();
  predict({long_, "--labels", labels});
  const std::string whole = text_of(labels);
  ASSERT_FALSE(whole.empty());
  std::filesystem::remove(labels);
  const std::string words =
      " --model " + model_ + " -q " + long_ + " --labels " + labels + " --srt " + srt;
  ASSERT_EQ(std::system((program + words + " | true").c_str()), 0);
  EXPECT_EQ(text_of(labels), whole);
  EXPECT_TRUE(std::filesystem::exists(srt));
  EXPECT_NE(std::system((program + words + " > /dev/full 2> /dev/null").c_str()), 0);
  EXPECT_EQ(text_of(labels), whole);
}

TEST_F(PredictTimeline, EndsWhereNobodyReadsItsAnswers) {
  RunOptions full;
  full.standard_output = "/dev/full";
  const Outcome ended =
      run("ser-predict",
          {"--model", model_, "--json", "--window", "3", "-q", long_, demo_clip(3), demo_clip(4)},
          full);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(lines_of(ended.err), ElementsAre(HasSubstr("standard output: writing failed")));
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

}  // namespace
}  // namespace ser
