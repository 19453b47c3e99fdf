#include <fmt/format.h>
#include <gmock/gmock.h>

#include "apps/run.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class EveryCommand : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryCommand, HelpHasExamplesAndTheCommonFlags) {
  const Outcome help = run(GetParam(), {"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(help.out, HasSubstr("Examples:\n  " + GetParam() + " "));
  for (const char* flag : {"--version", "--config FILE", "--seed INT=1", "--threads INT=0",
                           "-q,--quiet", "-v,--verbose"})
    EXPECT_THAT(help.out, HasSubstr(flag));
  EXPECT_THAT(help.out, Not(HasSubstr("=-")));
}

TEST_P(EveryCommand, TellsItsVersionAndHowItWasBuilt) {
  const Outcome version = run(GetParam(), {"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, StartsWith(GetParam() + " "));
  for (const char* fact :
       {"\ncompiler: ", "\ninstruction set: ", "\nbuild type: ", "\nlibraries: Eigen 3"})
    EXPECT_THAT(version.out, HasSubstr(fact));
}

TEST_P(EveryCommand, CompletesBashAndZshOnly) {
  EXPECT_THAT(run(GetParam(), {"--completion", "bash"}).out, HasSubstr("complete "));
  EXPECT_THAT(run(GetParam(), {"--completion", "zsh"}).out, StartsWith("#compdef " + GetParam()));
  const Outcome refused = run(GetParam(), {"--completion", "fish"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--completion: expected bash or zsh, found 'fish'"));
}

TEST_P(EveryCommand, TellsWhenItsWordsCannotBeWritten) {
  RunOptions full;
  full.standard_output = "/dev/full";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"}, {"--version"}, {"--completion", "bash"}}) {
    const Outcome outcome = run(GetParam(), words, full);
    EXPECT_EQ(outcome.exit_code, 1) << words[0];
    EXPECT_THAT(outcome.err, HasSubstr("standard output: writing failed: No space left on device"));
  }
}

TEST_P(EveryCommand, EndsInOrderWhereItsTalkCannotBeWritten) {
  RunOptions closed, full;
  closed.closed = {STDERR_FILENO};
  full.standard_error = "/dev/full";
  for (const RunOptions& options : {closed, full}) {
    EXPECT_EQ(run(GetParam(), {"--no-such-flag"}, options).exit_code, 2);
    EXPECT_EQ(run(GetParam(), {"--config", "/no/such/file"}, options).exit_code, 2);
    EXPECT_EQ(run(GetParam(), {"--version"}, options).exit_code, 0);
  }
}

TEST_P(EveryCommand, NeedsArguments) {
  const Outcome nothing = run(GetParam(), {});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.out, IsEmpty());
  EXPECT_THAT(nothing.err, AllOf(StartsWith(GetParam() + ": "), HasSubstr("--help")));
}

TEST_P(EveryCommand, NamesTheFlagNearestToAMisspeltOne) {
  const Outcome misspelt = run(GetParam(), {"x", "--thread", "2"});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("unknown option '--thread' (did you mean '--threads'?)"));
}

TEST_P(EveryCommand, SaysHowManyValuesAFlagTakes) {
  EXPECT_THAT(run(GetParam(), {"--seed"}).err, HasSubstr("--seed: expected INT, found nothing\n"));
  EXPECT_THAT(run(GetParam(), {"--seed", "1", "--seed", "2"}).err,
              HasSubstr("--seed: expected at most 1, found 2\n"));
}

TEST_P(EveryCommand, AFlagIsNoValueOfAnother) {
  const Outcome swallowed = run(GetParam(), {"x", "--config", "--quiet"});
  EXPECT_EQ(swallowed.exit_code, 2);
  EXPECT_THAT(swallowed.err, HasSubstr("--config: expected a value, found --quiet\n"));
  EXPECT_THAT(run(GetParam(), {"x", "--seed", "--threads=2"}).err,
              HasSubstr("--seed: expected a value, found --threads=2\n"));
  EXPECT_THAT(run(GetParam(), {"--quiet", "--", "--seed", "--quiet"}).err,
              Not(HasSubstr("expected a value")));
}

TEST_P(EveryCommand, RefusesUnknownKeysInItsConfiguration) {
  const TempFolder folder;
  const std::string file = folder.add("c.toml", "thread = 2\n").string();
  const Outcome misspelt = run(GetParam(), {"x", "--config", file});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("unknown option 'thread' (did you mean 'threads'?)"));
}

TEST_P(EveryCommand, RefusesAConfigurationWithoutEnd) {
  const Outcome endless = run(GetParam(), {"x", "--config", "/dev/zero"});
  EXPECT_EQ(endless.exit_code, 2);
  EXPECT_THAT(endless.err, HasSubstr("--config: expected at most 1 MiB, found more"));
}

TEST_P(EveryCommand, RefusesValuesWithoutEndInItsConfiguration) {
  const TempFolder folder;
  for (const char* value : {"\"2", "'2", "[2", "[\"2\",\n 3"}) {
    const std::string file =
        folder.add("c.toml", fmt::format("# it's\nthreads = {}\nseed = 1\n", value)).string();
    const Outcome endless = run(GetParam(), {"x", "--config", file});
    EXPECT_EQ(endless.exit_code, 2) << value;
    EXPECT_THAT(endless.err, HasSubstr("--config: expected threads to end, found "));
  }
}

TEST_P(EveryCommand, RefusesSectionsInItsConfiguration) {
  const TempFolder folder;
  const std::string file = folder.add("c.toml", "[training]\nthreads = 2\n").string();
  const Outcome sections = run(GetParam(), {"x", "--config", file});
  EXPECT_EQ(sections.exit_code, 2);
  EXPECT_THAT(sections.err, HasSubstr("without [sections], found 'training'"));
}

TEST_P(EveryCommand, SaysWhatIsWrongWithAName) {
  const TempFolder folder;
  const std::string loop = (folder / "loop").string(), longest(5000, 'x');
  std::filesystem::create_symlink(loop, loop);
  for (const auto& [name, fault] : {std::pair(loop, "Too many levels of symbolic links"),
                                    std::pair(longest, "File name too long")}) {
    const Outcome refused = GetParam() == "ser-predict" ? run(GetParam(), {name})
                            : GetParam() == "ser-eval"  ? run(GetParam(), {name, "--train", name})
                            : GetParam() == "ser-train"
                                ? run(GetParam(), {name, "--recipe", name, "-o", "x"})
                                : run(GetParam(), {name, "-o", (folder / "out").string()});
    EXPECT_EQ(refused.exit_code, 1) << name;
    EXPECT_THAT(refused.err, Not(HasSubstr("internal error")));
    EXPECT_THAT(refused.err, HasSubstr(fault));
  }
}

TEST_P(EveryCommand, RefusesNumbersThatAreNone) {
  for (const char* threads : {"two", "-1", "1000000"}) {
    const Outcome refused = run(GetParam(), {"x", "--threads", threads});
    EXPECT_EQ(refused.exit_code, 2) << threads;
    EXPECT_THAT(refused.err, HasSubstr("--threads: expected"));
  }
  const Outcome negative = run(GetParam(), {"x", "--seed", "-1"});
  EXPECT_EQ(negative.exit_code, 2);
  EXPECT_THAT(negative.err, AllOf(HasSubstr("--seed: expected"), HasSubstr("[0, 2147483647]")));
}

TEST_P(EveryCommand, RefusesTruthValuesThatAreNone) {
  const TempFolder folder;
  const std::string file = folder.add("c.toml", "quiet = maybe\n").string();
  const Outcome refused = run(GetParam(), {"x", "--config", file});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--quiet"), HasSubstr("maybe")));
}

INSTANTIATE_TEST_SUITE_P(Programs, EveryCommand,
                         ::testing::Values("ser-extract", "ser-train", "ser-eval", "ser-predict"),
                         [](const auto& program) {
                           return program.param.substr(program.param.find('-') + 1);
                         });

TEST(Configuration, GivesFlagsThatTheCommandLineOverrides) {
  const TempFolder folder;
  const std::string file = folder
                               .add("c.toml",
                                    "features = [\"mfcc\", \"chroma\"]\npool = \"mean\"\nemotions "
                                    "= [\"happy\", \"sad\"]\n"
                                    "quiet = false\nformat = \"csv\"\n")
                               .string();
  const std::string out = (folder / "out.csv").string();
  const Outcome done =
      run("ser-extract", {demo_actor(1), "--config", file, "--emotions", "angry", "-o", out});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("2 clips, 2 rows of 32 features"));
  EXPECT_THAT(text_of(out), AllOf(HasSubstr(",angry,"), Not(HasSubstr(",happy,"))));
}

TEST(Configuration, AHashInAQuotationIsNoComment) {
  const TempFolder folder;
  const std::string out = (folder / "out #1.csv").string();
  const std::string file =
      folder
          .add("c.toml", "\xEF\xBB\xBF# it's one\nfeatures = 'rms'  # \"the level\"\noutput = \"" +
                             out + "\"  # here\nformat = \"csv\"")
          .string();
  EXPECT_EQ(run("ser-extract", {demo_clip(1), "--config", file}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(out));
}

TEST_P(EveryCommand, NeedsNoThreadToTellItsVersion) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // A thread's stack is as large as the main one's, and finds no room.
  const Outcome told =
      run_path("/bin/sh", {"-c", "ulimit -s 1000000; ulimit -v 900000; exec " +
                                     (program_folder() / GetParam()).string() + " --version"});
  EXPECT_EQ(told.exit_code, 0) << told.err;
#endif
}

TEST(Configuration, MustBeThere) {
  const Outcome missing = run("ser-extract", {"x", "--config", "/nowhere/c.toml"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/c.toml"));
}

TEST(FileOfAnotherKind, IsNamedWithTheOneWanted) {
  const TempFolder folder;
  const auto add = [&](const char* name, const std::string& head) {
    return folder.add(name, head).string();
  };
  const std::string features = add("f", std::string("\x80\2\0\0\0\0\0\0{\"__metadata__\"", 24));
  const std::string model = add("m.json", "{\"format\": \"ser-model\"}");
  const std::string result = add("r.json", "{\"accuracy\": 1, \"uar\": 1}");
  const std::string recipe = add("recipe.json", "{\"network\": {\"layers\": []}}");
  const std::string sound = demo_clip(1), out = (folder / "out.json").string();
  const std::string kModel = "a model of ser-train", kResult = "a result file of ser-eval",
                    kFeatures = "a feature file of ser-extract";
  struct Case {
    std::string program;
    std::vector<std::string> words;
    std::string wanted, found;
  };
  for (const auto& [program, words, wanted, found] : std::vector<Case>{
           {"ser-predict", {"--model", features, sound}, kModel, kFeatures},
           {"ser-predict", {"--model", recipe, sound}, kModel, "a recipe"},
           {"ser-predict", {"--model", sound, sound}, kModel, "a recording"},
           {"ser-eval", {features, "--model", result}, kModel, kResult},
           {"ser-eval", {model, "--train", "mlp"}, kFeatures, kModel},
           {"ser-eval", {sound, "--train", "mlp"}, kFeatures, "a recording"},
           {"ser-eval", {features, "--train", model}, "a recipe", kModel},
           {"ser-eval", {"--merge", features}, kResult, kFeatures},
           {"ser-eval", {"--compare", model, model}, kResult, kModel},
           {"ser-train", {features, "--recipe", result, "-o", out}, "a recipe", kResult},
           {"ser-train", {"--combine", result, model, "-o", out}, kModel, kResult},
           {"ser-extract", {sound, "--features", model, "-o", out}, "a recipe", kModel}}) {
    const Outcome refused = run(program, words);
    EXPECT_THAT(refused.exit_code, ::testing::AnyOf(1, 2));
    EXPECT_THAT(refused.err, HasSubstr("expected " + wanted + ", found " + found + "\n"));
  }
  EXPECT_THAT(run("ser-extract", {model, "-o", out}).err,
              HasSubstr("NIST SPHERE, found a model of ser-train\n"));
}

}  // namespace
}  // namespace ser
