#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "support/wav.h"
#include "support/xml.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class Plot : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("gnuplot --version > /dev/null 2>&1") != 0)
      GTEST_SKIP() << "gnuplot is not there";
  }

  Outcome plot(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--plot", pictures_.path().string()});
    return run("ser-extract", arguments);
  }
  /// Everything in the folder of pictures, sorted.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(pictures_.path()))
      if (!entry.is_directory()) names.push_back(fs::relative(entry, pictures_.path()).string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string picture(const std::string& name) const { return text_of(pictures_ / name); }

  TempFolder inputs_;
  TempFolder pictures_;
};

TEST_F(Plot, NamesAsLongAsTheyMayBeAreShortened) {
  const fs::path clip = inputs_ / (std::string(250, 'n') + ".flac");
  fs::copy_file(demo_clip(5), clip);
  const Outcome done = plot({clip.string(), "--pictures", "waveform"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  ASSERT_EQ(files().size(), 1u);
  EXPECT_EQ(files()[0].size(), 255u);
  EXPECT_THAT(files()[0], AllOf(StartsWith("nnn"), ::testing::EndsWith(".waveform.svg")));
}

TEST_F(Plot, DrawsASheetAClip) {
  const Outcome done = plot({demo_clip(5)});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, IsEmpty());
  EXPECT_THAT(done.err, HasSubstr(": 1 picture\n"));
  EXPECT_THAT(files(), ElementsAre("03-01-05-01-01-01-01.flac.sheet.svg"));
  const std::string svg = picture("03-01-05-01-01-01-01.flac.sheet.svg");
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_THAT(svg, AllOf(HasSubstr("03-01-05-01-01-01-01.flac (angry, male, "),
                         HasSubstr("Waveform (grey: trimmed)"), HasSubstr("Chroma"),
                         HasSubstr("MFCC 1 to 19")));
  for (const char* label :
       {"Time (s)", "Amplitude (full scale 1)", "Frequency (Hz)", "Frequency (Hz, mel scale)",
        "Coefficient", "Pitch class", "Level (dB re maximum)", "Value (dB)", "F0", "centroid"})
    EXPECT_THAT(svg, HasSubstr(">" + std::string(label) + "<"));
}

TEST_F(Plot, DrawsSinglePicturesOnRequest) {
  const Outcome done = plot({demo_clip(5), "--pictures", "mfcc,chroma", "--plot-format", "png"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(files(), ElementsAre("03-01-05-01-01-01-01.flac.chroma.png",
                                   "03-01-05-01-01-01-01.flac.mfcc.png"));
  EXPECT_THAT(picture("03-01-05-01-01-01-01.flac.mfcc.png"), StartsWith("\x89PNG"));
}

TEST_F(Plot, MirrorsTheTreeOfAFolderAndKeepsNamesApart) {
  for (const char* name : {"a/x.wav", "b/x.wav", "b/x.flac"}) {
    fs::create_directories((inputs_ / name).parent_path());
    fs::copy_file(demo_clip(1), inputs_ / name);
  }
  EXPECT_EQ(plot({inputs_.path().string(), "--pictures", "waveform"}).exit_code, 0);
  EXPECT_THAT(files(),
              ElementsAre("a/x.wav.waveform.svg", "b/x.flac.waveform.svg", "b/x.wav.waveform.svg"));
}

TEST_F(Plot, StaysInItsFolderWhateverAManifestNames) {
  fs::create_directories(inputs_ / "lists");
  fs::copy_file(demo_clip(1), inputs_ / "a.flac");
  const std::string list =
      inputs_.add("lists/m.csv", "path\n../a.flac\n" + demo_clip(2) + "\n").string();
  EXPECT_EQ(plot({list, "--pictures", "waveform"}).exit_code, 0);
  const auto picture = [](const fs::path& file) {
    return file.relative_path().string() + ".waveform.svg";
  };
  EXPECT_THAT(files(), UnorderedElementsAre(picture(demo_clip(2)), picture(inputs_ / "a.flac")));
}

TEST_F(Plot, RefusesTwoInputsOfOnePicture) {
  fs::create_directories(inputs_ / "list/up");
  for (const char* file : {"a.flac", "list/up/a.flac"}) fs::copy_file(demo_clip(1), inputs_ / file);
  const std::string list = inputs_.add("list/m.csv", "path\n../a.flac\nup/a.flac\n").string();
  const Outcome refused = plot({list});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("a.flac.sheet.svg: the picture of two inputs"));
}

TEST_F(Plot, IsSafeFromNames) {
  const std::vector<std::string> names = {"a b.flac",
                                          "`touch pwned`.flac",
                                          "$(touch pwned).flac",
                                          "'; system('touch pwned') #.flac",
                                          "\"`touch pwned`\".flac",
                                          "%s_^{x}\\n@.flac",
                                          "&#x; <b>&.flac",
                                          "''.system(\"touch pwned\").''.flac",
                                          "grüße 音声.flac",
                                          "-e.flac"};
  for (const std::string& name : names) fs::copy_file(demo_clip(1), inputs_ / name);
  const Outcome done = plot({inputs_.path().string(), "--pictures", "waveform"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(files().size(), names.size());
  for (const std::string& name : names) EXPECT_EQ(xml_fault(picture(name + ".waveform.svg")), "");
  EXPECT_FALSE(fs::exists("pwned"));
}

TEST_F(Plot, WritesTheSameBytesForAnyNumberOfThreads) {
  for (const char* format : {"svg", "png"}) {
    std::vector<std::string> first;
    for (const char* threads : {"1", "5"}) {
      EXPECT_EQ(plot({demo_clip(1), demo_clip(2), demo_clip(3), "--pictures", "f0,sheet",
                      "--plot-format", format, "--threads", threads})
                    .exit_code,
                0);
      std::vector<std::string> bytes;
      for (const std::string& name : files()) bytes.push_back(picture(name));
      if (first.empty()) first = bytes;
      EXPECT_TRUE(bytes == first) << threads << " threads";
    }
  }
}

TEST_F(Plot, ExtractsTooIfAsked) {
  const std::string features = (inputs_ / "f.safetensors").string();
  const Outcome done = plot({demo_clip(1), "--pictures", "mel", "-o", features});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr(": 1 picture\n"), HasSubstr("1 clip, 1 row of")));
  EXPECT_TRUE(fs::exists(features));
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(Plot, DrawsTheFirstQuarterOfAnHourOfALongFile) {
  const std::string file = (inputs_ / "long.wav").string();
  write_wav(file, {Eigen::VectorXf::Zero(2000 * 901), 2000});
  EXPECT_EQ(plot({file, "--pictures", "waveform"}).exit_code, 0);
  EXPECT_THAT(picture("long.wav.waveform.svg"), HasSubstr("long.wav (first 900.00 s, 2 kHz)"));
}

TEST_F(Plot, FailsAtOrSkipsABrokenFile) {
  const std::string broken = inputs_.add("broken.wav", "RIFF").string();
  const Outcome failed = plot({broken, demo_clip(1), "--pictures", "mel"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("broken.wav: expected"));
  const Outcome skipped = plot({broken, demo_clip(1), "--pictures", "mel", "--on-error", "skip"});
  EXPECT_EQ(skipped.exit_code, 0);
  EXPECT_THAT(skipped.err, AllOf(HasSubstr("warning: skipped"), HasSubstr("broken.wav")));
  EXPECT_THAT(files(), ElementsAre("03-01-01-01-01-01-01.flac.mel.svg"));
  const Outcome nothing = plot({broken, "--on-error", "skip"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("expected recordings to draw, found none"));
}

TEST_F(Plot, FailsWhereNoFolderCanBeMade) {
  const std::string file = inputs_.add("file").string();
  const Outcome failed = run("ser-extract", {demo_clip(1), "--plot", file, "--pictures", "mel"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr(file + ": expected a folder to write to, found a file"));
}

TEST_F(Plot, RefusesFlagsThatAreWrongOrWouldChangeNothing) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--plot", "x", "--pictures", "mell"},
       "--pictures: unknown picture 'mell': expected sheet, waveform, spectrogram, "
       "log_spectrogram, mel, mfcc, chroma, f0, centroid (did you mean 'mel'?)"},
      {{"--plot", "x", "--pictures", "mel,mel"}, "--pictures: expected picture 'mel' once"},
      {{"--plot", "x", "--plot-format", "pgn"}, "did you mean 'png'?"},
      {{"--plot", "x", "--augment", "gain:3"}, "--augment: expected together with -o FILE"},
      {{"-o", "x", "--pictures", "mel"}, "--pictures: expected together with --plot DIR"}};
  for (const auto& [flags, message] : wrong) {
    std::vector<std::string> arguments = {demo_clip(1)};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Outcome refused = run("ser-extract", arguments);
    EXPECT_EQ(refused.exit_code, 2) << message;
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
}

TEST(PlotWithoutGnuplot, SaysWhatIsMissing) {
  const TempFolder folder;
  const std::string program = (program_folder() / "ser-extract").string();
  const Outcome missing =
      run_path("/usr/bin/env", {"PATH=/nowhere", program, demo_clip(1), demo_clip(2), "--on-error",
                                "skip", "--plot", folder.path().string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(lines_of(missing.err),
              ElementsAre("ser-extract: drawing needs the program gnuplot: expected it in PATH, "
                          "found none (Debian: apt-get install gnuplot-nox)"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(PlotHelp, NamesEveryPicture) {
  const Outcome help = run("ser-extract", {"--help"});
  EXPECT_THAT(help.out, AllOf(HasSubstr("--plot "), HasSubstr("--pictures"),
                              HasSubstr("--plot-format svg|png=svg"), HasSubstr("log_spectrogram"),
                              Not(HasSubstr("--plot TEXT=")),
                              HasSubstr("ser-extract talk.wav --plot pictures")));
}

}  // namespace
}  // namespace ser
