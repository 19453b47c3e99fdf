#include <gmock/gmock.h>

#include <algorithm>

#include "apps/run.h"
#include "ser/corpus/feature_table.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// Runs ser-extract with `arguments` and -o on a file of its own.
class Extract : public ::testing::Test {
 protected:
  Outcome extract(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-o", output_.string()});
    return run("ser-extract", std::move(arguments));
  }
  FeatureTable table() const { return read_feature_table(output_); }
  std::vector<std::string> files_in_folder() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(output_.parent_path()))
      names.push_back(entry.path().filename().string());
    return names;
  }

  TempFolder inputs_;
  TempFolder folder_;
  std::filesystem::path output_ = folder_ / "out";
};

TEST_F(Extract, ReadsTheCorpusAndItsLabels) {
  const Outcome done = extract({demo_actor(1), demo_actor(2), "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, IsEmpty());
  EXPECT_THAT(done.err, HasSubstr("32 clips, 32 rows of 180 features"));
  const FeatureTable features = table();
  EXPECT_EQ(features.rows.size(), 180u);
  ASSERT_EQ(features.size(), 32u);
  const Utterance& clip = features.clips[2];
  EXPECT_EQ(clip.path, "03-01-02-01-01-01-01.flac");
  EXPECT_EQ(clip.corpus, "ravdess");
  EXPECT_EQ(clip.emotion, "calm");
  EXPECT_EQ(clip.gender, "male");
  EXPECT_EQ(clip.speaker, "01");
  EXPECT_EQ(features.clips[16].gender, "female");
}

TEST_F(Extract, RecordingsThatAreNotThereAreToldBeforeTheWork) {
  std::filesystem::copy(demo_clip(1), inputs_ / "1.flac");
  const std::string sheet = inputs_.add("m.csv", "path,emotion\n1.flac,sad\n2.flac,sad\n").string();
  const Outcome failed = extract({sheet, "--features", "mfcc"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err,
              HasSubstr("1 of 2 recordings are not there (" + (inputs_ / "2.flac").string() + ")"));
  const Outcome done = extract({sheet, "--features", "mfcc", "--on-error", "skip"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_EQ(table().size(), 1u);
}

TEST_F(Extract, SpeakersCalledAlikeInFoldersCalledAlikeAreTold) {
  std::vector<std::string> sheets;
  for (const char* folder : {"a/talks", "b/talks", "b/calls"}) {
    std::filesystem::create_directories(inputs_ / folder);
    std::filesystem::copy(demo_clip(1), inputs_ / folder / "1.flac");
    sheets.push_back(
        inputs_.add(std::string(folder) + "/m.csv", "path,emotion,speaker\n1.flac,sad,anna\n")
            .string());
  }
  EXPECT_THAT(extract({sheets[0], sheets[1], "--features", "mfcc"}).err,
              HasSubstr("folders called alike, taken for one voice each: talks:anna;"));
  EXPECT_THAT(extract({sheets[0], sheets[2], "--features", "mfcc"}).err,
              Not(HasSubstr("called alike")));
}

TEST_F(Extract, TakesAListOfFeaturesWithRateAndPooling) {
  const Outcome done = extract({demo_clip(1), "--features", "mfcc,energy:delta,prosody", "--rate",
                                "8000", "--pool", "stats"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const FeatureTable features = table();
  EXPECT_EQ(features.set.sample_rate_hz, 8000);
  EXPECT_EQ(features.set.pool, Pooling::kStats);
  EXPECT_EQ(features.offsets.back(), 1);
}

TEST_F(Extract, KeepsFramesWithoutPooling) {
  EXPECT_EQ(extract({demo_clip(1), demo_clip(2), "--features", "mfcc"}).exit_code, 0);
  EXPECT_GT(table().offsets.back(), 60);
}

TEST_F(Extract, WritesCsv) {
  EXPECT_EQ(extract({demo_actor(1), "--features", "rms,zcr", "--pool", "mean", "--format", "csv"})
                .exit_code,
            0);
  const std::vector<std::string> lines = lines_of(text_of(output_));
  ASSERT_THAT(lines, SizeIs(17));
  EXPECT_THAT(lines[0], AllOf(StartsWith("path,corpus,emotion,gender,speaker,"),
                              HasSubstr(",frame,rms.mean,zcr.mean")));
  EXPECT_THAT(lines[1], StartsWith("03-01-01-01-01-01-01.flac,ravdess,neutral,male,01,normal,"));
}

TEST_F(Extract, ChoosesAndMergesClasses) {
  const Outcome done = extract({demo_actor(1), "--features", "classic", "--emotions",
                                "neutral,angry", "--map", "calm=neutral,disgust=angry"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const FeatureTable features = table();
  EXPECT_EQ(features.size(), 8u);
  for (const Utterance& clip : features.clips)
    EXPECT_TRUE(clip.emotion == "neutral" || clip.emotion == "angry") << clip.emotion;
}

TEST_F(Extract, WarnsOfUnusualClassesThatMappingLeaves) {
  const std::string table =
      folder_.add("odd.csv", "path,emotion\n" + demo_clip(3) + ",meh\n" + demo_clip(4) + ",glum\n")
          .string();
  const auto mapped = [&](const std::string& map) {
    return extract({table, "--features", "classic", "--map", map}).err;
  };
  EXPECT_THAT(extract({table, "--features", "classic"}).err,
              HasSubstr("usual emotions (glum, meh)"));
  EXPECT_THAT(mapped("meh=neutral,glum=sad"), Not(HasSubstr("usual")));
  EXPECT_THAT(mapped("meh=neutral,glum=sadd"),
              HasSubstr("--map: 1 class that is none of the usual"));
}

TEST_F(Extract, RefusesARateThatItsFeaturesCannotHave) {
  const Outcome refused = extract({demo_actor(1), "--rate", "8000"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--features, --rate: mel bands: expected a range within 0 to "
                                     "4000 Hz, found 0 to 7000 Hz"));
  EXPECT_EQ(extract({demo_actor(1), "--rate", "8000", "--features", "mfcc"}).exit_code, 0);
}

TEST_F(Extract, NamesTheNearestClass) {
  const Outcome refused = extract({demo_actor(1), "--emotions", "happi"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("did you mean 'happy'?"));
}

TEST_F(Extract, AddsAugmentedCopies) {
  const Outcome done =
      extract({demo_clip(1), "--features", "classic", "--augment", "speed:0.9,1.1,noise:20"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  std::vector<std::string> copies;
  for (const Utterance& clip : table().clips) {
    EXPECT_EQ(clip.path, "03-01-01-01-01-01-01.flac");
    copies.push_back(clip.augmentation);
  }
  EXPECT_THAT(copies, ElementsAre("", "speed:0.9", "speed:1.1", "noise:20"));
}

TEST_F(Extract, StopsAtABrokenFileAndKeepsTheOldOutput) {
  ASSERT_EQ(extract({demo_clip(2), "--features", "classic"}).exit_code, 0);
  const std::string old = text_of(output_);
  const std::string broken = inputs_.add("broken.wav", "RIFF").string();
  const Outcome failed = extract({demo_clip(1), broken, "--features", "classic"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(lines_of(failed.err),
              ElementsAre(AllOf(StartsWith("ser-extract: "), HasSubstr("broken.wav: expected"))));
  EXPECT_EQ(text_of(output_), old);
  EXPECT_THAT(files_in_folder(), ElementsAre("out"));
}

TEST_F(Extract, SkipsABrokenFileIfAsked) {
  const std::string broken = inputs_.add("broken.wav", "RIFF").string();
  const Outcome done =
      extract({broken, demo_clip(1), "--features", "classic", "--on-error", "skip"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr("warning: skipped"), HasSubstr("broken.wav"),
                              HasSubstr("recordings skipped: 1")));
  EXPECT_EQ(table().size(), 1u);
}

TEST_F(Extract, LeavesTheOldFileWhenKilled) {
  folder_.add("out", "old");
  RunOptions options;
  options.kill_after = std::chrono::milliseconds(30);
  const Outcome killed = run(
      "ser-extract", {demo_corpus().string(), "--threads", "1", "-o", output_.string()}, options);
  if (killed.exit_code == 0) GTEST_SKIP() << "done before it could be killed";
  EXPECT_EQ(text_of(output_), "old");
}

TEST_F(Extract, FailsOnAnOutputThatCannotBeWritten) {
  const Outcome failed =
      run("ser-extract", {demo_clip(1), "--features", "classic", "-o", "/nowhere/f.safetensors"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("/nowhere: expected a folder to write to, found none"));
}

TEST_F(Extract, ReportsDuplicatesAndKeepsThem) {
  for (const char* name : {"03-01-01-01-01-01-01.flac", "03-01-01-01-01-02-01.flac"})
    std::filesystem::copy_file(demo_clip(1), inputs_ / name);
  const Outcome done = extract({inputs_.path().string(), "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err,
              HasSubstr("the same bytes under several names, kept: 03-01-01-01-01-01-01.flac, "
                        "03-01-01-01-01-02-01.flac"));
  EXPECT_EQ(table().size(), 2u);
}

TEST_F(Extract, WarnsOfManyDuplicatesInOneLine) {
  for (int i = 1; i <= 4; ++i)
    for (const char* copy : {"a", "b"})
      std::filesystem::copy_file(demo_clip(i), inputs_ / (copy + std::to_string(i) + ".flac"));
  const Outcome done = extract({inputs_.path().string(), "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("the same bytes under several names, kept: 4 recordings, such as "
                                  "a1.flac, b1.flac; a2.flac, b2.flac\n"));
  EXPECT_EQ(table().clips[0].content, table().clips[4].content);
  EXPECT_NE(table().clips[0].content, table().clips[1].content);
}

TEST_F(Extract, WarnsOfLabelsThatContradictEachOther) {
  for (const char* name : {"1.flac", "2.flac"})
    std::filesystem::copy_file(demo_clip(1), inputs_ / name);
  std::filesystem::copy_file(demo_clip(2), inputs_ / "3.flac");
  std::filesystem::copy_file(demo_clip(3), inputs_ / "4.flac");
  const std::string sheet = inputs_
                                .add("m.csv",
                                     "path,corpus,emotion,speaker,gender\n"
                                     "1.flac,calls,happy,anna,female\n"
                                     "2.flac,calls,sad,bob,male\n"
                                     "3.flac,calls,sad,anna,male\n"
                                     "4.flac,calls,sad,Bob,male\n")
                                .string();
  const Outcome done = extract({sheet, "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("warning: the same bytes under several emotions, kept: "
                                  "1.flac (happy), 2.flac (sad)\n"));
  EXPECT_THAT(done.err, HasSubstr("warning: speakers with clips of both genders: calls:anna "
                                  "(1 as female, 1 as male)\n"));
  EXPECT_THAT(done.err, HasSubstr("warning: speakers told apart by capitals alone: "
                                  "calls:Bob, calls:bob\n"));
  EXPECT_EQ(table().size(), 4u);
}

TEST_F(Extract, SaysWhatTheFolderWasTakenFor) {
  for (const char* name : {"anna/1.flac", "bob/2.flac"}) {
    std::filesystem::create_directory((inputs_ / name).parent_path());
    std::filesystem::copy_file(demo_clip(1), inputs_ / name);
  }
  std::filesystem::copy_file(demo_clip(2), inputs_ / "beside.flac");
  const Outcome done = extract({inputs_.path().string(), "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("2 recordings, read as folders: 2 classes (anna, bob)"),
                    HasSubstr("2 classes that are none of the usual emotions (anna, bob)"),
                    HasSubstr("left out: 1 audio file not named as in corpus folders "
                              "(beside.flac)")));
}

TEST_F(Extract, CarriesVotesToTheFeatureFile) {
  std::filesystem::copy_file(demo_clip(5), inputs_ / "03-01-05-01-01-01-01.flac");
  const std::string votes =
      folder_.add("votes.csv", "clip,ang,hap\n03-01-05-01-01-01-01,7,3\nother,1,1\n").string();
  const Outcome done =
      extract({inputs_.path().string(), "--features", "classic", "--votes", votes});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr("votes for 1 of 1 recordings"),
                              HasSubstr("1 name of no recording (other)")));
  EXPECT_EQ(table().clips[0].votes, (std::map<std::string, double>{{"angry", 7}, {"happy", 3}}));
}

TEST_F(Extract, DescribesNamesThatAreNotUtf8) {
  const std::string file = (inputs_ / "latin-\xe9.flac").string();
  std::filesystem::copy_file(demo_clip(1), file);
  const Outcome done = run("ser-extract", {file, "--describe", "--json"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("latin-\xEF\xBF\xBD.flac"));
}

TEST_F(Extract, SaysWhatAWrongFolderHolds) {
  inputs_.add("notes.txt", "no sound");
  const Outcome refused = extract({inputs_.path().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("expected a folder with audio files"),
                                 HasSubstr("found 1 .txt file")));
}

TEST_F(Extract, SaysWhatFilesOfAnotherCorpusAreCalled) {
  const Outcome refused = extract({demo_actor(1), "--corpus", "emodb"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("expected EMO-DB"), HasSubstr("16 audio files"),
                                 HasSubstr("03-01-01-01-01-01-01.flac")));
}

TEST_F(Extract, TellsInputsApartByTheirFolders) {
  for (const char* folder : {"a/x", "b/x"}) {
    std::filesystem::create_directories(inputs_ / folder);
    std::filesystem::copy_file(demo_clip(folder[0] == 'a' ? 1 : 2),
                               inputs_ / folder / "03-01-01-01-01-01-01.flac");
  }
  const std::string a = (inputs_ / "a/x").string(), b = (inputs_ / "b/x/").string();
  EXPECT_EQ(extract({a, b, "--features", "classic"}).exit_code, 0);
  std::vector<std::string> paths;
  for (const Utterance& clip : table().clips) paths.push_back(clip.path);
  EXPECT_THAT(paths, ElementsAre("a/x/03-01-01-01-01-01-01.flac", "b/x/03-01-01-01-01-01-01.flac"));

  const Outcome twice = extract({a, a, "--features", "classic"});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_THAT(twice.err, HasSubstr("01-01.flac: named by two inputs"));
}

TEST_F(Extract, CountsClipsWithoutLabels) {
  std::filesystem::copy_file(demo_clip(1), inputs_ / "a.flac");
  std::filesystem::copy_file(demo_clip(2), inputs_ / "b.flac");
  const std::string manifest =
      inputs_.add("clips.csv", "path,emotion\na.flac,happy\nb.flac,\n").string();
  const Outcome done = extract({manifest, "--features", "classic"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr("clips without emotion: 1;"),
                              HasSubstr("clips without gender: 2; a model of them alone tells "
                                        "the emotion only")));
}

TEST_F(Extract, IsSilentIfQuiet) {
  const Outcome done = extract({demo_clip(1), "--features", "classic", "-q"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.out + done.err, IsEmpty());
}

TEST_F(Extract, SaysMoreIfVerbose) {
  const Outcome done = extract({demo_clip(1), "--features", "classic", "-v"});
  EXPECT_THAT(done.err, AllOf(HasSubstr("threads, instruction set: "), HasSubstr("\"mfcc\"")));
}

TEST_F(Extract, WritesTheSameBytesForAnyNumberOfThreads) {
  std::string first;
  for (const char* threads : {"1", "2", "7"}) {
    const Outcome done = extract({demo_actor(1), demo_actor(2), "--augment", "speed:1.1,noise:20",
                                  "--threads", threads, "-q"});
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_THAT(done.err, IsEmpty());
    if (first.empty()) first = text_of(output_);
    EXPECT_EQ(text_of(output_), first) << threads << " threads";
  }
  EXPECT_FALSE(first.empty());
}

TEST_F(Extract, RefusesWrongValuesAsWrongUsage) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--features", "mfc"}, "--features: unknown feature 'mfc' (did you mean 'mfcc'?)"},
      {{"--features", "clasic"}, "(did you mean 'classic'?)"},
      {{"--pool", "median"}, "expected one of none, mean, stats, found 'median'"},
      {{"--rate", "-5"}, "--rate: expected [0, 400000], found -5"},
      {{"--rate", "fast"}, "--rate: expected an integer"},
      {{"--trim-db", "-1"}, "--trim-db: expected [0, 1000], found -1"},
      {{"--augment", "spee:1"}, "did you mean 'speed'?"},
      {{"--corpus", "ravdes"}, "did you mean 'ravdess'?"},
      {{"--shard", "4/3"}, "--shard: expected I/N, such as 1/8 to 8/8, found '4/3'"},
      {{"--plot", "d", "--pictures", "mfc"}, "--pictures: unknown picture 'mfc'"},
      {{"--format", "cvs"}, "did you mean 'csv'?"}};
  for (const auto& [flags, message] : wrong) {  // before a recording is looked for
    std::vector<std::string> arguments = {(inputs_ / "nowhere").string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const Outcome refused = extract(arguments);
    EXPECT_EQ(refused.exit_code, 2) << flags[0];
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
  EXPECT_THAT(files_in_folder(), IsEmpty());
}

TEST_F(Extract, NeedsAnOutput) {
  const Outcome refused = run("ser-extract", {demo_clip(1)});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("-o FILE"));
}

}  // namespace
}  // namespace ser
