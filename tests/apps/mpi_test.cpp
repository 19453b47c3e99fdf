#include <gmock/gmock.h>

#include <cstdlib>

#include "apps/demo_features.h"

namespace ser {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs programs as several processes.
class Mpi : public DemoFeatures {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "Open MPI is built without what finds data races";
#endif
    if (!fs::exists(program_folder() / "ser-mpi.so"))
      GTEST_SKIP() << "built without MPI (libopenmpi-dev)";
    if (!fs::exists(kLauncher)) GTEST_SKIP() << "expected mpirun (openmpi-bin)";
    // As root, and more processes than cores; several such runs share a machine.
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
      ::setenv(name, "1", 1);
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 1);
    ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // Open MPI keeps what it allocates once
    DemoFeatures::SetUp();
  }
  Outcome mpirun(int ranks, const std::string& program,
                 const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {"-n", std::to_string(ranks), "--oversubscribe",
                                      (program_folder() / program).string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_path(kLauncher, words);
  }
  std::vector<std::string> training(const std::string& model) const {
    return {features_, "--recipe", recipe_, "--threads", "1", "-o", file(model)};
  }

  static constexpr const char* kLauncher = "/usr/bin/mpirun";
  std::string recipe_ = folder_
                            .add("r.json", R"({"members": 2, "network": {"layers": [
      {"type": "dense", "units": 16}, {"type": "batch_norm", "activation": "relu"}]},
      "training": {"epochs": 5, "batch_size": 16, "shard_size": 4}})")
                            .string();
};

TEST_F(Mpi, AModelIsTheSameForAnyNumberOfProcesses) {
  succeed("ser-train", training("one.json"));
  for (const int ranks : {1, 2, 3, 5}) {
    const Outcome done = mpirun(ranks, "ser-train", training("m.json"));
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(text_of(file("m.json")), text_of(file("one.json"))) << ranks;
  }
}

TEST_F(Mpi, FoldsAreDealtToTheSameResult) {
  const std::vector<std::string> arguments = {features_,          "--cv",     "loso",
                                              "--train",          recipe_,    "-o",
                                              file("r.out.json"), "--report", file("r.html")};
  const Outcome one = succeed("ser-eval", arguments);
  const std::string result = text_of(file("r.out.json")), page = text_of(file("r.html"));
  const Outcome done = mpirun(3, "ser-eval", arguments);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out, one.out);
  EXPECT_EQ(text_of(file("r.out.json")), result);
  EXPECT_EQ(text_of(file("r.html")), page);
}

TEST_F(Mpi, FoldsThatAreDoneAreKeptForAnyNumberOfProcesses) {
  std::vector<std::string> arguments = {features_,         "--cv", "loso", "--train", recipe_, "-o",
                                        file("r.out.json")};
  succeed("ser-eval", arguments);
  const std::string result = text_of(file("r.out.json"));
  arguments.insert(arguments.end(), {"--checkpoint", file("done"), "--resume"});
  EXPECT_EQ(mpirun(3, "ser-eval", arguments).exit_code, 0);
  fs::remove(folder_ / "done/fold-2.json");
  fs::remove(folder_ / "r.out.json");
  const Outcome resumed = mpirun(2, "ser-eval", arguments);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(text_of(file("r.out.json")), result);
  EXPECT_TRUE(fs::exists(folder_ / "done/fold-2.json"));
  EXPECT_THAT(run("ser-eval", {features_, "--train", recipe_, "--resume"}).err,
              HasSubstr("--resume: expected --checkpoint"));
}

TEST_F(Mpi, ASearchIsTheSameForAnyNumberOfProcesses) {
  const std::string space = folder_
                                .add("s.json", R"({"rungs": 2, "folds": "speakers:2", "fields": {
      "training.learning_rate": {"log_uniform": [1e-4, 1e-2]}}})")
                                .string();
  const std::vector<std::string> arguments = {features_, "--recipe", recipe_,          "--search",
                                              space,     "--cv",     "speakers:2",     "--trials",
                                              "3",       "-o",       file("best.json")};
  const Outcome one = succeed("ser-train", arguments);
  const Outcome done = mpirun(2, "ser-train", arguments);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(done.out, one.out);
}

TEST(WithoutMpi, TheModuleIsNamed) {
  const TempFolder folder;
  fs::copy(program_folder() / "ser-train", folder / "ser-train");
  ::setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  const Outcome failed = run_path(folder / "ser-train", {"f", "-o", (folder / "m").string()});
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("working with 2 processes: expected ser-mpi.so, which is built "
                                    "where MPI is (Debian: libopenmpi-dev)"));
}

TEST(WithoutMpi, ExtractionSaysOnceThatEveryProcessDoesTheSame) {
  const TempFolder folder;
  const std::string warning =
      "warning: 2 processes were started together: each extracts every "
      "recording; --shard I/N gives each its part\n";
  ::setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  const auto said = [&](const char* rank, const std::string& shard) {
    ::setenv("OMPI_COMM_WORLD_RANK", rank, 1);
    std::vector<std::string> words = {demo_actor(1), "--features", "energy", "-o",
                                      (folder / "f").string()};
    if (!shard.empty()) words.insert(words.end(), {"--shard", shard});
    const Outcome done = run("ser-extract", words);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.err;
  };
  EXPECT_THAT(said("0", ""), HasSubstr(warning));
  EXPECT_THAT(said("1", ""), Not(HasSubstr("started together")));
  for (const auto& [rank, own] : {std::pair("0", "1/2"), {"1", "2/2"}, {"1", "4/4"}})
    EXPECT_THAT(said(rank, own), Not(HasSubstr("started together")));
  for (const auto& [teller, other, same] :
       {std::tuple("1", "0", "1/2"), {"0", "1", "2/2"}, {"1", "0", "3/4"}}) {
    EXPECT_THAT(said(teller, same), HasSubstr("those with the same --shard do the same"));
    EXPECT_THAT(said(other, same), Not(HasSubstr("started together")));
  }
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
  ::unsetenv("OMPI_COMM_WORLD_RANK");
}

TEST_F(Mpi, AShardOfASearchIsForOneProcess) {
  const Outcome refused =
      mpirun(2, "ser-train",
             {features_, "--search", recipe_, "--shard", "1/2", "--checkpoint", file("c")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--shard: expected one process"));
}

TEST_F(Mpi, ProcessesThatDoNotFindEachOtherAreRefused) {
  ::setenv("PMI_SIZE", "2", 1);  // as of another MPI's launcher
  const Outcome failed = run("ser-train", training("m.json"));
  ::unsetenv("PMI_SIZE");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("expected 2 processes that find each other, found 1"));
}

TEST_F(Mpi, AnErrorIsSaidOnceAndEndsAll) {
  const Outcome failed = mpirun(3, "ser-train", {file("gone"), "-o", file("m.json")});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("gone: opening failed"));
  EXPECT_THAT(failed.err, Not(HasSubstr("process 2 of 3")));
}

TEST_F(Mpi, AProcessThatDiesEndsTheRunAndAnotherNumberGoesOn) {
  const auto long_training = [&](const std::string& model, std::vector<std::string> more) {
    std::vector<std::string> words = training(model);
    words.insert(words.end(), {"--epochs", "40"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  succeed("ser-train", long_training("one.json", {}));
  const std::string program = (program_folder() / "ser-train").string(), saved = file("c");
  const std::vector<std::string> words = long_training("m.json", {"--checkpoint", saved});
  std::string command = program;
  for (const std::string& word : words) command += " " + word;
  // The second process is killed as soon as there is something to go on from.
  const std::string dying =
      command + " & while [ ! -e " + saved + " ]; do sleep 0.01; done; kill -9 $!; wait $!";
  std::vector<std::string> both = {"--oversubscribe", "-n", "1", program};
  both.insert(both.end(), words.begin(), words.end());
  both.insert(both.end(), {":", "-n", "1", "/bin/sh", "-c", dying});
  const Outcome ended = run_path(kLauncher, both);
  EXPECT_NE(ended.exit_code, 0);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("one of the processes is gone"),
                               HasSubstr("it is saved in " + saved), HasSubstr("--resume")));
  EXPECT_FALSE(fs::exists(file("m.json")));
  const Outcome done =
      mpirun(3, "ser-train", long_training("m.json", {"--checkpoint", saved, "--resume"}));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(text_of(file("m.json")), text_of(file("one.json")));
}

}  // namespace
}  // namespace ser
