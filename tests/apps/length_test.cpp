// Memory does not grow with the length of a recording; pipes, and sound that is not read, are told.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/wav_recorder.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::ordered_json;

constexpr int kRateHz = 48000;

/// A long recording, clips of the demo corpus over and over, and programs that may not hold seven
/// eighths of its samples.
class Length : public ::testing::Test {
 protected:
  void SetUp() override { record(8); }

  void record(int minutes) {
    const std::size_t size = std::size_t{60} * kRateHz * minutes;
    most_kb_ = static_cast<long>(size * sizeof(float) * 7 / 8 / 1024);
    std::vector<Waveform> clips;
    for (int emotion = 1; emotion <= 8; ++emotion) clips.push_back(read_audio(demo_clip(emotion)));
    // Played at three times its rate, as the corpus has 16 kHz: each sample three times.
    WavRecorder recorder(long_wav(), kRateHz, SampleFormat::kInt16);
    std::size_t written = 0;
    for (std::size_t i = 0; written < size; ++i) {
      std::vector<float> samples;
      for (const float sample : clips[i % clips.size()].samples)
        samples.insert(samples.end(), 3, sample);
      recorder.write(samples);
      written += samples.size();
    }
    recorder.close();
  }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::string long_wav() const { return file("long.wav"); }
  Outcome watch(const std::string& program, std::vector<std::string> arguments,
                const std::filesystem::path& standard_input = "/dev/null") const {
    RunOptions options;
    options.standard_input = standard_input;
    options.watch_memory = true;
    arguments.insert(arguments.end(), {"--threads", "2"});
    const Outcome done = run(program, std::move(arguments), options);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_LT(done.peak_kb, most_kb_);
    EXPECT_GT(done.peak_kb, 1000);
    return done;
  }

 private:
  TempFolder folder_;
  long most_kb_ = 0;
};

TEST_F(Length, AClipLevelAnswerIsTheMeanOfWindowsAndSaysSo) {
  const Outcome json = watch("ser-predict", {long_wav(), "--json"});
  EXPECT_GT(Json::parse(json.out)["windows"], 100);
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
  const std::string pipe = file("pipe");
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
  EXPECT_NEAR(Json::parse(done.out)["duration_s"]["max"], 60 * 8, 5);
}

TEST_F(Length, ExtractionGoesInPiecesAndSaysSo) {
  const std::string features = file("long");
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

// A sheet has a size of its own, which a quarter of an hour is above.
TEST_F(Length, DrawingIsFlat) {
  record(15);
  watch("ser-extract", {long_wav(), "--plot", file("pictures")});
  watch("ser-predict", {long_wav(), "--window", "10", "--hop", "10", "--plot", file("t.svg")});
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
