#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/run.h"
#include "support/page_text.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

TEST(Describe, PrintsWhatACorpusHolds) {
  const Outcome done = run("ser-extract", {demo_actor(1), demo_actor(2), "--describe"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out,
              AllOf(StartsWith("32 recordings, "), HasSubstr("2 speakers"), HasSubstr("female"),
                    HasSubstr("active level, dBFS"), HasSubstr("clips by speaker:   16 each")));
}

TEST(Describe, HasTheSameBytesForAnyNumberOfThreads) {
  const TempFolder folder;
  std::string json, page;
  for (const char* threads : {"1", "2", "7"}) {
    const std::string report = (folder / "data.html").string();
    const Outcome done = run("ser-extract", {demo_actor(1), "--describe", "--json", "--report",
                                             report, "--threads", threads, "-q"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.err, IsEmpty());
    if (json.empty()) {
      json = done.out;
      page = text_of(report);
      EXPECT_EQ(Json::parse(json)["clips"].size(), 16u);
      expect_says(page, {"16 recordings of ravdess", "Duration, energy and pitch"});
    }
    EXPECT_EQ(done.out, json) << threads << " threads";
    EXPECT_TRUE(text_of(report) == page) << threads << " threads";
  }
}

TEST(Describe, ListsUnreadableFilesAndDuplicates) {
  const TempFolder folder;
  std::filesystem::copy_file(demo_clip(1), folder / "a.flac");
  std::filesystem::copy_file(demo_clip(1), folder / "b.flac");
  folder.add("c.wav", "no sound");
  const Outcome done = run("ser-extract", {folder.path().string(), "--describe"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("the same bytes:\n  a.flac, b.flac"),
                              HasSubstr("unreadable: 1\n  c.wav: expected WAV")));
}

TEST(Describe, RefusesFlagsWithoutEffect) {
  const auto refused = [](std::vector<std::string> arguments, const std::string& message) {
    arguments.insert(arguments.begin(), demo_actor(1));
    const Outcome done = run("ser-extract", arguments);
    EXPECT_EQ(done.exit_code, 2) << message;
    EXPECT_THAT(done.err, HasSubstr(message));
  };
  refused({"--describe", "-o", "x"}, "--output has no place");
  refused({"--describe", "--trim-db", "30"}, "--trim-db has no place");
  refused({"--json", "-o", "x"}, "--json: expected together with --describe");
  refused({"--report", "x.html", "-o", "x"}, "--report: expected together with --describe");
}

TEST(Describe, APageWithoutAFolderIsRefused) {
  const Outcome done =
      run("ser-extract", {demo_actor(1), "--describe", "--report", "/nowhere/x.html"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("/nowhere: expected a folder to write to"));
}

}  // namespace
}  // namespace ser
