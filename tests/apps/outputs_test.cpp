#include <gmock/gmock.h>
#include <sys/resource.h>

#include "apps/demo_features.h"
#include "common/interrupt.h"
#include "ser/core/atomic_file.h"
#include "support/paths.h"

namespace ser {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kRecipe = R"({
  "features": "classic",
  "network": {"layers": [{"type": "dense", "units": 4}]},
  "training": {"epochs": 2}
})";

/// A feature file, and a folder that holds nothing yet.
class Outputs : public DemoFeatures {
 protected:
  void SetUp() override {
    DemoFeatures::SetUp();
    std::filesystem::create_directory(folder_ / "out");
  }
  std::string out(const std::string& name) const { return file("out/" + name); }
  std::string add(const std::string& name, const std::string& text) const {
    return folder_.add("out/" + name, text).string();
  }
  std::size_t files_out() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_ / "out"), fs::directory_iterator()));
  }
  void expect_refused(int code, const std::string& program, std::vector<std::string> words,
                      const std::string& message) {
    const Outcome refused = run(program, std::move(words));
    EXPECT_EQ(refused.exit_code, code) << message;
    EXPECT_THAT(refused.out, IsEmpty());
    EXPECT_THAT(refused.err, HasSubstr(message));
  }

  std::string recipe_ = folder_.add("recipe.json", kRecipe).string();
};

TEST_F(Outputs, AreLookedAtBeforeTheWork) {
  const std::string gone = out("gone/out");
  const std::string dangling = (folder_ / "dangling").string();
  fs::create_symlink(gone, dangling);
  const std::vector<std::pair<std::string, std::vector<std::string>>> runs = {
      {"ser-extract", {demo_actor(1), "-o", gone}},
      {"ser-train", {features_, "-o", dangling}},
      {"ser-extract", {demo_actor(1), "--describe", "--report", gone}},
      {"ser-train", {features_, "-o", gone}},
      {"ser-train", {features_, "-o", out("m"), "--report", gone}},
      {"ser-train", {features_, "-o", out("m"), "--checkpoint", gone}},
      {"ser-eval", {features_, "--cv", "random:2", "--train", recipe_, "-o", gone}},
      {"ser-eval", {features_, "--cv", "random:2", "--train", recipe_, "--report", gone}},
      {"ser-predict", {demo_clip(1), "--labels", gone}},
      {"ser-predict", {demo_clip(1), "--srt", gone}},
      {"ser-predict", {demo_clip(1), "--plot", gone + ".svg"}},
      {"ser-predict", {"--live", "-", "--record", gone}}};
  for (const auto& [program, words] : runs)
    expect_refused(1, program, words, "expected a folder to write to, found none");
  EXPECT_EQ(files_out(), 0u);
}

TEST_F(Outputs, AWorkingFolderThatWasRemovedIsToldBeforeTheWork) {
  const fs::path before = fs::current_path(), gone = folder_ / "gone";
  fs::create_directory(gone);
  fs::current_path(gone);
  fs::remove(gone);
  expect_refused(1, "ser-train", {features_, "-o", "m.json"},
                 "m.json: cannot be written: its folder was removed");
  fs::current_path(before);
}

TEST_F(Outputs, AFolderIsNoFileToWrite) {
  expect_refused(1, "ser-train", {features_, "-o", file("out")},
                 "expected a file to write, found a folder");
  expect_refused(1, "ser-extract", {demo_actor(1), "-o", file("out") + "/"},
                 "expected a file to write, found a folder");
}

TEST_F(Outputs, LinksInACircleAreNotReplaced) {
  fs::create_symlink("b", out("a"));
  fs::create_symlink("a", out("b"));
  expect_refused(1, "ser-train", {features_, "-o", out("a")}, "a: Too many levels of symbolic");
  EXPECT_TRUE(fs::is_symlink(out("a")));
}

TEST_F(Outputs, WhatIsReadIsNotReplaced) {
  const std::string clip = add("a.flac", text_of(demo_clip(1)));
  const std::string copy = add("f", text_of(features_));
  fs::create_hard_link(copy, out("other"));
  fs::create_symlink("f", out("link"));
  expect_refused(2, "ser-extract", {clip, "-o", clip}, "-o: " + clip + " is what is read");
  expect_refused(2, "ser-extract", {file("out"), "-o", clip}, "is not a feature file");
  for (const char* name : {"f", "other", "link"})
    expect_refused(2, "ser-train", {copy, "-o", out(name)}, "is what is read");
  EXPECT_EQ(text_of(copy), text_of(features_));
  EXPECT_EQ(text_of(clip), text_of(demo_clip(1)));
}

TEST_F(Outputs, AFileOfAnotherKindIsNotReplaced) {
  const std::string wav = add("a.wav", "RIFF....WAVE");
  const std::string text = add("notes", "my notes");
  expect_refused(2, "ser-extract", {demo_actor(1), "-o", wav},
                 "is there and is not a feature file");
  expect_refused(2, "ser-train", {features_, "-o", text}, "is there and is not a model");
  expect_refused(2, "ser-train", {features_, "-o", out("m"), "--checkpoint", text},
                 "is there and is not a checkpoint");
  expect_refused(2, "ser-predict", {demo_clip(1), "--labels", wav}, "is not a file of labels");
  expect_refused(2, "ser-extract", {demo_actor(1), "-o", text},
                 "is there and is not a feature file");
  expect_refused(2, "ser-predict", {demo_clip(1), "--labels", text},
                 "is there and is not a file of labels");
  expect_refused(2, "ser-predict", {demo_clip(1), "--srt", text},
                 "is there and is not a file of subtitles");
  const std::string json = add("recipe", kRecipe);
  expect_refused(2, "ser-train", {features_, "-o", json}, "is there and is not a model");
  expect_refused(2, "ser-eval", {features_, "--train", "mlp", "-o", json},
                 "is there and is not a result file");
  expect_refused(2, "ser-predict", {demo_clip(1), "--remember", json},
                 "is there and is not a kept voice");
  EXPECT_EQ(text_of(text), "my notes");
  EXPECT_EQ(text_of(json), kRecipe);
}

TEST_F(Outputs, NorIsOneThatOnlyBeginsAlike) {
  const std::string avi = add("a.avi", "RIFF....AVI LIST");
  expect_refused(2, "ser-predict", {"--live", "-", "--record", avi}, "is not a WAV file");
  const std::string xml = add("a.xml", "<?xml version=\"1.0\"?><work/>");
  expect_refused(2, "ser-train", {features_, "-o", out("m"), "--report", xml}, "is not a page");
  const std::string manifest = add("a.csv", "path,corpus,emotion,gender\n");
  expect_refused(2, "ser-extract", {demo_clip(1), "--format", "csv", "-o", manifest},
                 "is not a feature file");
}

TEST_F(Outputs, NorAreFilesBesideOrInsideOfWhatIsNamed) {
  const std::string index = add("f.index.json", "my notes");
  const std::string features = out("f");
  expect_refused(2, "ser-extract", {demo_clip(1), "-o", features}, "is not an index of features");
  expect_refused(2, "ser-extract", {"--merge", features_, "-o", features},
                 "is not an index of features");
  EXPECT_EQ(text_of(index), "my notes");
  fs::create_directory(out("kept"));
  const std::string fold = add("kept/fold-1.json", "my notes");
  expect_refused(1, "ser-eval",
                 {features_, "--train", recipe_, "--cv", "speakers:2", "--checkpoint", out("kept")},
                 "is there and is no fold that was kept");
  EXPECT_EQ(text_of(fold), "my notes");
  fs::create_directory(out("pictures"));
  const std::string name = fs::path(demo_clip(1)).filename().string();
  const std::string picture = add("pictures/" + name + ".sheet.svg", "my notes");
  const Outcome drawn = run("ser-extract", {demo_clip(1), "--plot", out("pictures")});
  EXPECT_NE(drawn.exit_code, 0);
  EXPECT_EQ(text_of(picture), "my notes");
}

TEST_F(Outputs, ARecordingThatWasHeardIsNotReplaced) {
  fs::create_directory(out("voice"));
  fs::copy_file(demo_clip(1), out("voice/a.flac"));
  expect_refused(2, "ser-predict",
                 {"--live", "-", "--enroll", out("voice"), "--record", out("voice/a.flac")},
                 "is what is read");
}

TEST_F(Outputs, WhatIsReadAgainIsNoPipe) {
  ASSERT_EQ(::mkfifo(out("pipe").c_str(), 0600), 0);
  expect_refused(2, "ser-train", {features_, "-o", out("m"), "--checkpoint", out("pipe")},
                 "is read again: expected a file");
}

TEST_F(Outputs, OneOfTheSameKindIsReplaced) {
  const auto twice = [&](const std::string& program, const std::vector<std::string>& words) {
    succeed(program, words);
    succeed(program, words);
  };
  twice("ser-extract", {demo_clip(1), "--features", "rms", "-o", out("f")});
  twice("ser-extract", {demo_clip(1), "--features", "rms", "--format", "csv", "-o", out("csv")});
  twice("ser-train", {features_, "--recipe", recipe_, "-o", out("m")});
  twice("ser-eval", {features_, "--train", recipe_, "--cv", "random:2", "-o", out("r")});
  twice("ser-predict", {demo_clip(1), "--labels", out("l"), "--srt", out("s")});
  twice("ser-predict", {demo_clip(1), "--remember", out("v")});
}

TEST_F(Outputs, OneFileIsNotWrittenTwice) {
  expect_refused(2, "ser-train", {features_, "-o", out("x"), "--report", out("./x")},
                 "-o and --report: expected two files");
  expect_refused(2, "ser-train", {features_, "-o", "not-there", "--report", "./not-there"},
                 "-o and --report: expected two files");
  // Nor through a link to what is not there yet.
  std::filesystem::create_symlink("x", out("link"));
  expect_refused(2, "ser-train", {features_, "-o", out("x"), "--report", out("link")},
                 "-o and --report: expected two files");
}

TEST_F(Outputs, AHyphenIsNoNameOfAFile) {
  expect_refused(2, "ser-extract", {demo_clip(1), "-o", "-"}, "standard output is /dev/stdout");
  expect_refused(2, "ser-predict", {"--live", "-", "--record", "-"}, "--record: expected a name");
}

TEST_F(Outputs, ScoresAreThereThoughTheDiskIsFull) {
  const Outcome full =
      run("ser-eval", {features_, "--cv", "random:2", "--train", recipe_, "-o", "/dev/full", "-q"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.out, HasSubstr("accuracy"));
  EXPECT_THAT(full.err, HasSubstr("/dev/full: writing failed: No space left on device"));
}

TEST_F(Outputs, DevicesStay) {
  const Outcome done = run("ser-extract", {demo_clip(1), "--features", "rms", "--pool", "mean",
                                           "--format", "csv", "-o", "/dev/stdout", "-q"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("03-01-01-01-01-01-01"));
  EXPECT_EQ(run("ser-extract", {demo_clip(1), "-o", "/dev/null", "-q"}).exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Outputs, AFileTooLargeForTheUserIsNamed) {
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const Outcome refused = run("ser-extract", {demo_actor(1), "-o", out("f"), "-q"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr(out("f") + ": writing failed: File too large"));
  EXPECT_EQ(files_out(), 0u);
}

TEST_F(Outputs, AFullFileBehindStdoutEndsWithAWholeLine) {
  const std::string lines = out("lines");
  std::ofstream(lines) << "kept, though no whole line";
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1500, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  RunOptions options;
  options.standard_output = lines;
  const Outcome ended = run("ser-predict", {demo_actor(1), "--json", "-q"}, options);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("standard output: writing failed: File too large"));
  const std::string text = text_of(lines);
  EXPECT_THAT(text, StartsWith("kept, though no whole line{"));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_GT(text.size(), 500u);
}

TEST_F(Outputs, AReaderThatLeavesEarlyLosesNoResult) {
  const std::string result = out("r.json"), page = out("r.html"), full = out("full.json");
  const std::string words = " " + features_ + " --cv random:2 --train " + recipe_ + " -q -o ";
  const std::string program = (program_folder() / "ser-eval").string() + words;
  ASSERT_EQ(std::system((program + result + " --report " + page + " | true").c_str()), 0);
  EXPECT_TRUE(fs::exists(result));
  EXPECT_TRUE(fs::exists(page));
  EXPECT_NE(std::system((program + full + " > /dev/full 2> /dev/null").c_str()), 0);
  EXPECT_EQ(text_of(full), text_of(result));
}

TEST_F(Outputs, AKeptRunIsNotReplacedWithoutAWord) {
  const std::vector<std::string> words = {features_, "--recipe",     recipe_, "-o",
                                          out("m"),  "--checkpoint", out("c")};
  EXPECT_THAT(run("ser-train", words).err, testing::Not(HasSubstr("replaced")));
  EXPECT_THAT(run("ser-train", words).err, HasSubstr("the run that is kept there is replaced"));
}

TEST_F(Outputs, AnInterruptedRunLeavesNothingAndSaysSo) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    RunOptions options;
    options.signal = signal;
    options.standard_error = options.interrupt_at = file("said" + std::to_string(signal));
    options.interrupt_delay = std::chrono::milliseconds(300);
    const Outcome ended =
        run("ser-train",
            {features_, "-o", out("m.json"), "--recipe", recipe_, "--epochs", "1000000", "-v"},
            options);
    EXPECT_EQ(ended.exit_code, 128 + signal);
    EXPECT_THAT(text_of(options.standard_error), HasSubstr("ser-train: interrupted\n"));
    EXPECT_EQ(files_out(), 0u);
  }
}

/// Reads a mapped file that has lost its last page.
[[noreturn]] void read_what_is_gone(const fs::path& path) {
  watch_signals("ser-test");
  const MappedFile file(path);
  fs::resize_file(path, 100);
  ::_exit(static_cast<int>(file.bytes().back()) + 2);
}

TEST(LostFile, AFileThatShrinksWhileItIsReadEndsInASentence) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const TempFolder folder;
  const fs::path path = folder.add("f", std::string(100000, 'x'));
  EXPECT_EXIT(read_what_is_gone(path), testing::ExitedWithCode(1),
              "a file became shorter while it was read");
}

}  // namespace
}  // namespace ser
