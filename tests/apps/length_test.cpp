// Memory does not grow with the length of a recording; pipes, and sound that is not read, are told.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/wav_recorder.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::ordered_json;

constexpr int kRateHz = 48000;
constexpr int kMinutes = 15;
// The samples alone would take more.
constexpr long kMostKb = 150 * 1024;
static_assert(kMostKb * 1024L < kMinutes * 60L * kRateHz * 4);

/// A recording of a quarter of an hour: clips of the demo corpus, over and over.
class Length : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempFolder;
    std::vector<Waveform> clips;
    for (int emotion = 1; emotion <= 8; ++emotion) clips.push_back(read_audio(demo_clip(emotion)));
    // Played at three times its rate, as the corpus has 16 kHz: each sample three times.
    WavRecorder recorder(*folder_ / "long.wav", kRateHz, SampleFormat::kInt16);
    std::size_t written = 0;
    for (std::size_t i = 0; written < std::size_t{kMinutes} * 60 * kRateHz; ++i) {
      std::vector<float> samples;
      for (const float sample : clips[i % clips.size()].samples)
        samples.insert(samples.end(), 3, sample);
      recorder.write(samples);
      written += samples.size();
    }
    recorder.close();
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string long_wav() { return (*folder_ / "long.wav").string(); }
  static Outcome watch(const std::string& program, std::vector<std::string> arguments,
                       const std::filesystem::path& standard_input = "/dev/null") {
    RunOptions options;
    options.standard_input = standard_input;
    options.watch_memory = true;
    arguments.insert(arguments.end(), {"--threads", "2"});
    const Outcome done = run(program, std::move(arguments), options);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_LT(done.peak_kb, kMostKb);
    EXPECT_GT(done.peak_kb, 1000);
    return done;
  }

  static TempFolder* folder_;
};
TempFolder* Length::folder_ = nullptr;

TEST_F(Length, AClipLevelAnswerIsTheMeanOfWindowsAndSaysSo) {
  const Outcome json = watch("ser-predict", {long_wav(), "--json"});
  EXPECT_GT(Json::parse(json.out)["windows"], 200);
  EXPECT_TRUE(Json::parse(json.out)["speech"]);
  EXPECT_FALSE(Json::parse(run("ser-predict", {demo_clip(5), "--json"}).out).contains("windows"));
  EXPECT_THAT(run("ser-predict", {long_wav()}).out, HasSubstr(", mean of "));
}

TEST_F(Length, ATimelineIsFlatFromAFileAndFromStandardInput) {
  const std::vector<std::string> flags = {"--window",       "10",    "--hop", "10",
                                          "--every-window", "--json"};
  std::vector<std::string> of_file = flags, of_stdin = flags;
  of_file.push_back(long_wav());
  of_stdin.push_back("-");
  const std::size_t lines = lines_of(watch("ser-predict", of_file).out).size();
  EXPECT_GT(lines, 10u);
  EXPECT_THAT(lines_of(watch("ser-predict", of_stdin, long_wav()).out), SizeIs(lines));
}

TEST_F(Length, APipeIsCopiedToADiskNotToMemory) {
  const std::filesystem::path pipe = *folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer([&] {
    std::ofstream(pipe, std::ios::binary) << std::ifstream(long_wav(), std::ios::binary).rdbuf();
  });
  const Outcome done = watch("ser-predict", {"-", "--json"}, pipe);
  Json from_pipe = Json::parse(done.out),
       from_file = Json::parse(run("ser-predict", {long_wav(), "--json"}).out);
  from_file["file"] = "-";
  EXPECT_EQ(from_pipe, from_file);
}

TEST_F(Length, DescribingIsFlat) {
  const Outcome done = watch("ser-extract", {long_wav(), "--describe", "--json"});
  EXPECT_NEAR(Json::parse(done.out)["duration_s"]["max"], 60.0 * kMinutes, 5);
}

TEST_F(Length, ExtractionGoesInPiecesAndSaysSo) {
  const std::string features = (*folder_ / "long").string();
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{features + ".safetensors", "--features", "mfcc,energy"},
        {features + ".safetensors", "--features", "functionals"},
        {features + ".csv", "--features", "mfcc", "--format", "csv", "--augment", "noise:20"}}) {
    std::vector<std::string> arguments = {long_wav(), "-o"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    EXPECT_THAT(watch("ser-extract", arguments).err,
                HasSubstr("long.wav: longer than 60 s: extracted in pieces of 30 s"));
  }
}

TEST_F(Length, DrawingIsFlat) {
  watch("ser-extract", {long_wav(), "--plot", (*folder_ / "pictures").string()});
  watch("ser-predict", {long_wav(), "--window", "10", "--hop", "10", "--plot",
                        (*folder_ / "timeline.svg").string()});
}

/// What a reader could not read is a warning line of each command.
TEST(Notices, AreToldByEveryCommand) {
  const TempFolder folder;
  const std::string file = (folder / "cut.wav").string();
  const std::string features = (folder / "cut.safetensors").string();
  write_wav(file, read_audio(demo_clip(5)));
  const std::string bytes = text_of(file);
  std::ofstream(file, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  const auto warned = HasSubstr(": breaks off: ");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"ser-predict", file},
                                                    {"ser-predict", file, "--window", "1"},
                                                    {"ser-extract", file, "--describe"},
                                                    {"ser-extract", file, "-o", features}}) {
    const Outcome done = run(arguments[0], {arguments.begin() + 1, arguments.end()});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.err, warned) << arguments[0] << arguments.back();
  }
}

}  // namespace
}  // namespace ser
