#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Ten seconds and a bit of demo speech, 16 bits at 16 kHz.
Waveform some_speech() {
  Waveform wave{{}, 16000};
  for (const int emotion : {5, 4, 3, 5, 4, 3, 5}) {
    const Waveform clip = read_audio(demo_clip(emotion));
    const Eigen::Index size = wave.samples.size();
    wave.samples.conservativeResize(size + clip.samples.size());
    wave.samples.tail(clip.samples.size()) = clip.samples;
  }
  return wave;
}

class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(read_audio(demo_clip(5)).sample_rate_hz, wave_.sample_rate_hz);
    write_wav(wav_, wave_);
    folder_.add("x.raw", text_of(wav_).substr(44));
  }

  /// What is said to a stream on stdin.
  Outcome listen(const fs::path& stream, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--live", "-"});
    RunOptions options;
    options.standard_input = stream;
    return run("ser-predict", arguments, options);
  }

  TempFolder folder_;
  const Waveform wave_ = some_speech();
  const fs::path wav_ = folder_ / "x.wav";
  const fs::path raw_ = folder_ / "x.raw";
};

TEST_F(Live, SaysOfAStreamWhatItSaysOfTheWindowsCutFromItsFile) {
  const Outcome live =
      listen(wav_, {"--json", "--smooth", "0", "--window", "2", "--hop", "0.75", "--no-adapt"});
  EXPECT_EQ(live.exit_code, 0) << live.err;
  const std::vector<std::string> answers = lines_of(live.out);
  std::vector<std::string> arguments = {"--json"};
  for (int i = 0; i * 12000 + 32000 <= wave_.samples.size(); ++i) {
    arguments.push_back((folder_ / ("cut" + std::to_string(i) + ".wav")).string());
    write_wav(arguments.back(), {wave_.samples.segment(i * 12000, 32000), 16000});
  }
  const std::vector<std::string> expected = lines_of(run("ser-predict", arguments).out);
  ASSERT_THAT(answers, SizeIs(expected.size()));
  ASSERT_GT(expected.size(), 5u);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    Json answer = Json::parse(answers[i]), alone = Json::parse(expected[i]);
    EXPECT_EQ(answer["file"], "-");
    EXPECT_EQ(answer["start"], 0.75 * static_cast<double>(i));
    EXPECT_EQ(answer["end"], 0.75 * static_cast<double>(i) + 2);
    for (const char* key : {"file", "start", "end"}) answer.erase(key), alone.erase(key);
    EXPECT_EQ(answer, alone) << i;
  }
}

TEST_F(Live, SaysTheSameOfRawSamplesAndOfAnyHeaderSizes) {
  const std::string said = listen(wav_, {"--json"}).out;
  EXPECT_GT(lines_of(said).size(), 5u);
  EXPECT_EQ(listen(raw_, {"--json", "--raw-rate", "16000"}).out, said);
  for (const char* size : {"\xFF\xFF\xFF\xFF", "\0\0\0\0"}) {
    std::string text = text_of(wav_);
    text.replace(4, 4, size, 4).replace(40, 4, size, 4);
    EXPECT_EQ(listen(folder_.add("sizes.wav", text), {"--json"}).out, said);
  }
}

TEST_F(Live, SmoothsProbabilities) {
  const Json raw = Json::parse(lines_of(listen(wav_, {"--json", "--smooth", "0"}).out)[1]);
  const Json smooth = Json::parse(lines_of(listen(wav_, {"--json", "--smooth", "5"}).out)[1]);
  const Json first = Json::parse(lines_of(listen(wav_, {"--json"}).out)[0]);
  const double keep = std::exp(-0.5 / 5);
  for (const auto& [name, share] : smooth["probabilities"].items())
    EXPECT_NEAR(share.get<double>(),
                keep * first["probabilities"][name].get<double>() +
                    (1 - keep) * raw["probabilities"][name].get<double>(),
                1e-12);
}

TEST_F(Live, AnswersASoundShorterThanAWindowAtItsEnd) {
  write_wav(folder_ / "short.wav", {wave_.samples.head(16000), 16000});
  const std::vector<std::string> lines = lines_of(listen(folder_ / "short.wav", {"--json"}).out);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(Json::parse(lines[0])["end"], 1.0);
}

TEST_F(Live, TellsALineAWindowAndASummary) {
  const Outcome live = listen(wav_, {});
  EXPECT_THAT(lines_of(live.out)[0], AllOf(HasSubstr("3.0 s  "), HasSubstr(" ms")));
  EXPECT_THAT(live.out, Not(HasSubstr("\033")));
  EXPECT_THAT(live.err, AllOf(HasSubstr("listening to standard input at 16000 Hz"),
                              HasSubstr("heard "), HasSubstr("median ")));
  EXPECT_THAT(listen(wav_, {"-q"}).err, IsEmpty());
}

TEST_F(Live, WritesCsv) {
  const std::vector<std::string> lines = lines_of(listen(wav_, {"--csv"}).out);
  EXPECT_THAT(lines[0], HasSubstr(",male,female,start,end"));
  EXPECT_THAT(lines[1], HasSubstr(",0.000,3.000"));
}

TEST_F(Live, RecordsWhatItHears) {
  const fs::path record = folder_ / "heard.wav";
  EXPECT_EQ(listen(raw_, {"--raw-rate", "16000", "--record", record.string()}).exit_code, 0);
  EXPECT_EQ(text_of(record), text_of(wav_));
  EXPECT_THAT(listen(wav_, {"--record", "/nowhere/x.wav"}).err,
              HasSubstr("/nowhere: expected a folder to write to"));
}

TEST_F(Live, SaysThatARecordingIsReplaced) {
  const std::string record = (folder_ / "heard.wav").string();
  EXPECT_THAT(listen(wav_, {"--record", record}).err, Not(HasSubstr("replaced")));
  EXPECT_THAT(listen(wav_, {"--record", record}).err,
              HasSubstr("heard.wav: the recording that is there will be replaced"));
}

TEST_F(Live, LosesNothingOfAStreamFasterThanItself) {
  const fs::path silence = folder_ / "silence.raw";
  std::ofstream(silence).close();
  fs::resize_file(silence, 2 * 16000 * 3600);
  const Outcome live = listen(silence, {"--raw-rate", "16000", "--hop", "60", "--json"});
  EXPECT_THAT(lines_of(live.out), SizeIs(60));
  EXPECT_THAT(live.err, HasSubstr("heard 3600.0 s: 60 windows, 0 with speech"));
}

/// Interrupts a session that has heard a part of `bytes` and gets no more.
Outcome interrupt(const TempFolder& folder, const std::string& bytes,
                  std::chrono::milliseconds delay) {
  const fs::path pipe = folder / "pipe";
  EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int keep_open = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK);
  EXPECT_GT(::write(keep_open, bytes.data(), bytes.size()), 4000);
  RunOptions options;
  options.standard_input = pipe;
  options.interrupt_at = folder / "heard.wav";
  options.interrupt_delay = delay;
  const Outcome live =
      run("ser-predict", {"--live", "-", "--record", options.interrupt_at.string()}, options);
  ::close(keep_open);
  return live;
}

TEST_F(Live, EndsWithASummaryWhenInterruptedAtWork) {
  const Outcome live = interrupt(folder_, text_of(wav_), std::chrono::milliseconds(0));
  EXPECT_EQ(live.exit_code, 0);
  EXPECT_THAT(live.err, HasSubstr("heard "));
  EXPECT_THAT(text_of(folder_ / "heard.wav"), StartsWith("RIFF"));
}

TEST_F(Live, EndsWithASummaryWhenInterruptedWaitingForSound) {
  const Outcome live = interrupt(folder_, text_of(wav_), std::chrono::milliseconds(500));
  EXPECT_EQ(live.exit_code, 0);
  EXPECT_THAT(live.err, HasSubstr("heard "));
}

TEST_F(Live, SaysWhatIsWrongWithAStream) {
  const Outcome empty = listen("/dev/null", {});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("standard input: expected the header of a WAV stream"));
  EXPECT_THAT(listen(raw_, {}).err, HasSubstr("--raw-rate"));
  const Outcome folder = listen(folder_.path(), {"--raw-rate", "16000"});
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_THAT(folder.err, HasSubstr("standard input: reading failed: Is a directory"));
  std::string broken(4 * 16000, '\0');
  broken.replace(40000, 4, "\xFF\xFF\xFF\xFF", 4);
  const Outcome nan =
      listen(folder_.add("nan.raw", broken), {"--raw-rate", "16000", "--raw-format", "f32le"});
  EXPECT_EQ(nan.exit_code, 1);
  EXPECT_THAT(nan.err, AllOf(HasSubstr("expected finite samples"), HasSubstr("heard 0.5 s")));
}

TEST_F(Live, EndsWhenNobodyReadsItsAnswers) {
  RunOptions options;
  options.standard_input = wav_;
  options.standard_output = "/dev/full";
  for (const char* format : {"--json", "--csv", "--top-k=3"}) {
    const Outcome live = run("ser-predict", {"--live", "-", format}, options);
    EXPECT_EQ(live.exit_code, 1);
    EXPECT_THAT(live.err,
                AllOf(HasSubstr("heard 3.0 s"), HasSubstr("standard output: writing failed")));
  }
}

TEST_F(Live, RefusesWhatDoesNotGoTogether) {
  const std::vector<std::vector<std::string>> wrong = {{"x.wav", "--device", "1"},
                                                       {"x.wav", "--record", "y.wav"},
                                                       {"x.wav", "--smooth", "1"},
                                                       {"--live", "x.wav"},
                                                       {"--live", "-", "-"},
                                                       {"--live", "--raw-rate", "16000"},
                                                       {"--live", "-", "--raw-format", "u8"},
                                                       {"--live", "-", "--raw-rate", "1"},
                                                       {"--live", "-", "--device", "1"},
                                                       {"--live", "-", "--window", "0"},
                                                       {"--live", "-", "--hop", "-1"},
                                                       {"--live", "-", "--labels", "l.txt"},
                                                       {"--live", "--every-window"},
                                                       {"--live", "-", "--smooth", "-1"},
                                                       {"--live", "-", "--json", "--csv"},
                                                       {"--live", "-", "--top-k", "0"}};
  for (const std::vector<std::string>& arguments : wrong) {
    const Outcome refused = run("ser-predict", arguments);
    EXPECT_EQ(refused.exit_code, 2) << ::testing::PrintToString(arguments) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("ser-predict: --"));
  }
}

/// Runs a command in a terminal of 30 lines.
Outcome in_terminal(const std::string& command) {
  return run_path("/usr/bin/script", {"-qec", "stty rows 30 cols 90; " + command, "/dev/null"});
}

TEST_F(Live, RedrawsBarsInPlaceOnATerminal) {
  if (!fs::exists("/usr/bin/script")) GTEST_SKIP() << "no script(1) to make a terminal";
  ASSERT_EQ(::setenv("TERM", "xterm", 1), 0);
  ASSERT_EQ(::unsetenv("NO_COLOR"), 0);
  const std::string command =
      program_folder().string() + "/ser-predict -q --live - < " + wav_.string();
  EXPECT_THAT(in_terminal(command).out, AllOf(HasSubstr("\033[9A"), HasSubstr("\033[32m")));
  EXPECT_THAT(in_terminal(command + " --top-k 2").out, HasSubstr("\033[3A"));
  EXPECT_THAT(in_terminal("export NO_COLOR=1; " + command).out, AllOf(HasSubstr("\033[9A"),
                                                                      Not(HasSubstr("m"
                                                                                    "\033")),
                                                                      Not(HasSubstr("\033[32m"))));
  EXPECT_THAT(in_terminal("export TERM=dumb; " + command).out, Not(HasSubstr("\033")));
}

/// ser-predict in a folder of its own, with a module beside it that plays a file.
class Microphone : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    fs::copy(program_folder() / "ser-predict", program_);
    fs::copy(fake_capture_folder() / "ser-capture.so", folder_ / "ser-capture.so");
    ::setenv("FAKE_CAPTURE", raw_.c_str(), 1);
    ::setenv("FAKE_CAPTURE_THEN", "unplug", 1);
    ::unsetenv("FAKE_CAPTURE_LOSES");
  }

  const fs::path program_ = folder_ / "ser-predict";
};

TEST_F(Microphone, ListsDevices) {
  const Outcome list = run_path(program_, {"--list-devices"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(lines_of(list.out), ElementsAre("    0  Fake line in (none, 44100 Hz)",
                                              "*   1  Fake microphone (none, 16000 Hz)"));
}

TEST_F(Microphone, SaysWhatItSaysOfAStreamUntilTheDeviceIsLost) {
  const std::string record = (folder_ / "heard.wav").string();
  const Outcome live = run_path(program_, {"--live", "--json", "--record", record});
  EXPECT_EQ(live.exit_code, 1);
  EXPECT_THAT(live.err,
              AllOf(HasSubstr("listening to Fake microphone at 16000 Hz"), HasSubstr("heard "),
                    HasSubstr("ser-predict: Fake microphone: the plug was pulled")));
  EXPECT_EQ(text_of(record), text_of(wav_));
  const std::vector<std::string> answers = lines_of(live.out),
                                 expected = lines_of(listen(wav_, {"--json"}).out);
  ASSERT_THAT(answers, SizeIs(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    Json answer = Json::parse(answers[i]), same = Json::parse(expected[i]);
    EXPECT_EQ(answer["file"], "Fake microphone");
    answer["file"] = same["file"];
    EXPECT_EQ(answer, same);
  }
}

TEST_F(Microphone, TakesADeviceByName) {
  EXPECT_THAT(run_path(program_, {"--live", "--device", "line"}).err,
              HasSubstr("listening to Fake line in"));
  const Outcome unknown = run_path(program_, {"--live", "--device", "webcam"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("found 'webcam': there are 0 'Fake line in', 1"));
}

TEST_F(Microphone, SpansNoLostSound) {
  ::setenv("FAKE_CAPTURE_LOSES", "500", 1);  // after 5 s
  const Outcome live = run_path(program_, {"--live", "--json"});
  EXPECT_THAT(live.err, AllOf(HasSubstr("sound was lost, this machine does not keep up"),
                              HasSubstr("sound was lost once")));
  for (const std::string& line : lines_of(live.out)) {
    const Json answer = Json::parse(line);
    EXPECT_TRUE(answer["end"] <= 5.0 || answer["start"] >= 5.0) << line;
  }
}

TEST_F(Microphone, IsLostWhenItFallsSilentForGood) {
  ::setenv("FAKE_CAPTURE_THEN", "silence", 1);
  const Outcome live = run_path(program_, {"--live"});
  EXPECT_EQ(live.exit_code, 1);
  EXPECT_THAT(live.err, HasSubstr("Fake microphone: no sound for 3 s: the device is gone"));
}

TEST_F(Microphone, NeedsItsModule) {
  fs::remove(folder_ / "ser-capture.so");
  for (const char* flag : {"--live", "--list-devices"}) {
    const Outcome missing = run_path(program_, {flag});
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_THAT(missing.err, HasSubstr("recording from a microphone: expected ser-capture.so"));
  }
}

TEST_F(Live, RecordsThroughPortAudio) {
  if (!fs::exists(program_folder() / "ser-capture.so")) GTEST_SKIP() << "built without PortAudio";
  folder_.add(".asoundrc",
              "pcm.!default {type plug slave {pcm filein format S16_LE rate 48000 channels 1}}\n"
              "pcm.filein {type file slave {pcm nullp} file /dev/null infile " +
                  raw_.string() + " format raw}\npcm.nullp {type null}\n");
  const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
  ::setenv("HOME", folder_.path().c_str(), 1);
  const Outcome list = run("ser-predict", {"--list-devices"});
  const std::string program = program_folder().string() + "/ser-predict";
  const Outcome live = run_path(
      "/bin/bash",
      {"-c", program + " --live --device default --json --hop 0.1 --window 2 | head -n 5"});
  ::setenv("HOME", home.c_str(), 1);
  if (list.out.find("  default (ALSA, 48000 Hz)") == std::string::npos)
    GTEST_SKIP() << "ALSA's default device is not ours: " << list.err;
  EXPECT_THAT(list.err, IsEmpty());
  const std::vector<std::string> answers = lines_of(live.out);
  const std::vector<std::string> expected = lines_of(
      listen(raw_, {"--json", "--raw-rate", "48000", "--hop", "0.1", "--window", "2"}).out);
  ASSERT_THAT(answers, SizeIs(5)) << live.err;
  for (std::size_t i = 0; i < 5; ++i) {
    Json answer = Json::parse(answers[i]), same = Json::parse(expected.at(i));
    EXPECT_EQ(answer["file"], "default");
    answer["file"] = same["file"];
    EXPECT_EQ(answer, same);
  }
}

}  // namespace
}  // namespace ser
