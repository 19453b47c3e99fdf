#include <gmock/gmock.h>

#include "apps/run.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Four actors of the demo corpus, extracted whole and in shards.
class Sharding : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  Outcome extract(std::vector<std::string> more, const RunOptions& options = {}) const {
    std::vector<std::string> arguments = {demo_actor(1), demo_actor(2), demo_actor(3),
                                          demo_actor(4), "--features",  "classic"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run("ser-extract", arguments, options);
  }
  std::string shard(int number) const {
    return file("s" + std::to_string(number) + ".safetensors");
  }
  Outcome merge(const std::vector<std::string>& shards) const {
    std::vector<std::string> words = {"--merge"};
    words.insert(words.end(), shards.begin(), shards.end());
    words.insert(words.end(), {"-o", file("all.safetensors")});
    return run("ser-extract", words);
  }
  std::string model_of(const std::string& features) const {
    const Outcome done = run(
        "ser-train", {features, "--model", "mlp", "--epochs", "2", "-o", file("model.json"), "-q"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return text_of(folder_ / "model.json");
  }

  TempFolder folder_;
};

TEST_F(Sharding, ModelsOfShardsAreThoseOfTheWhole) {
  for (int number = 1; number <= 3; ++number) {
    const std::string which = std::to_string(number) + "/3";
    ASSERT_EQ(extract({"--shard", which, "-o", shard(number), "-q"}).exit_code, 0);
  }
  const Outcome merged = merge({shard(3), shard(1), shard(2)});
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_THAT(merged.err, HasSubstr("all.safetensors: 64 clips in 3 shards"));
  ASSERT_EQ(extract({"-o", file("whole.safetensors"), "-q"}).exit_code, 0);
  EXPECT_EQ(model_of(file("all.safetensors")), model_of(file("whole.safetensors")));
  const Outcome some = run("ser-train", {shard(1), shard(3), "-o", file("some.json")});
  EXPECT_EQ(some.exit_code, 1);
  EXPECT_THAT(some.err, HasSubstr("expected 3 shards of a corpus, found 2 (1, 3)"));
}

TEST_F(Sharding, AMissingShardIsMadeByTheCommandThatIsNamed) {
  ASSERT_EQ(extract({"--threads", "1", "--shard=1/2", "--resume", "-o", shard(1), "-q"}).exit_code,
            0);
  EXPECT_THAT(merge({shard(1)}).err,
              HasSubstr("  ser-extract INPUT... --features classic --shard 2/2 -o " + shard(2)));
  const Outcome refused =
      run("ser-extract", {demo_actor(1), demo_actor(2), demo_actor(3), demo_actor(4), "--merge",
                          shard(1), "-o", file("all.safetensors")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("shard 2/2 is missing"));
  const std::string command = lines_of(refused.err).back();
  EXPECT_THAT(command,
              AllOf(HasSubstr(demo_actor(4) + " --features classic --shard 2/2 -o " + shard(2)),
                    Not(HasSubstr("--threads")), Not(HasSubstr("--resume"))));
  const Outcome made = run_path("/bin/sh", {"-c", program_folder().string() + "/" +
                                                      command.substr(command.find("ser-extract"))});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(merge({shard(1), shard(2)}).exit_code, 0);
}

TEST_F(Sharding, AShardOfWhichNothingCanBeReadIsMergedWithTheOthers) {
  const std::string broken = folder_.add("broken.wav", "RIFF").string();
  const auto extract_one = [&](int number) {
    return run("ser-extract", {demo_clip(1), broken, "--features", "classic", "--on-error", "skip",
                               "--shard", std::to_string(number) + "/2", "-o", shard(number)});
  };
  EXPECT_EQ(extract_one(1).exit_code, 0);
  const Outcome empty = extract_one(2);
  EXPECT_EQ(empty.exit_code, 0);
  EXPECT_THAT(empty.err, HasSubstr("warning: " + shard(2) + ": a shard without clips, as none of"));
  EXPECT_THAT(merge({shard(1), shard(2)}).err,
              AllOf(HasSubstr("recordings skipped: 1"), HasSubstr("1 clip in 2 shards")));
}

TEST_F(Sharding, FlagsThatWouldChangeNothingAreWrongUsage) {
  EXPECT_THAT(run("ser-extract", {demo_clip(1), "--describe", "--shard", "1/2"}).err,
              HasSubstr("--shard"));
  EXPECT_THAT(extract({"--shard", "3/2", "-o", file("x")}).err, HasSubstr("--shard: expected I/N"));
  EXPECT_THAT(extract({"--shard", "1/2", "--format", "csv", "-o", file("x")}).err,
              HasSubstr("--shard: expected --format safetensors"));
  EXPECT_EQ(run("ser-extract", {"--merge", file("a")}).exit_code, 2);
  EXPECT_THAT(extract({"--merge", file("a"), "-o", file("x")}).err,
              HasSubstr("--features: shards have it"));
  EXPECT_EQ(run("ser-extract", {"-o", file("x")}).exit_code, 2);
}

TEST_F(Sharding, AKilledExtractionGoesOnToTheSameBytes) {
  ASSERT_EQ(extract({"-o", file("whole"), "-q"}).exit_code, 0);
  RunOptions killed;
  killed.interrupt_at = file("out.partial");
  killed.signal = SIGKILL;
  killed.interrupt_delay = std::chrono::milliseconds(40);
  const std::vector<std::string> arguments = {"--resume", "--threads", "1", "-o", file("out")};
  for (int i = 0; i < 3; ++i) extract(arguments, killed);
  const Outcome done = extract(arguments);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(text_of(file("out")), text_of(file("whole")));
  EXPECT_FALSE(std::filesystem::exists(file("out.partial")));
}

TEST_F(Sharding, AnExtractionOfALongNameGoesOn) {
  const std::string name = std::string(250, 'n');
  EXPECT_EQ(extract({"--resume", "-o", file(name)}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(file(name)));
}

}  // namespace
}  // namespace ser
