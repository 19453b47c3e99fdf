#include "common/talk.h"

#include <gmock/gmock.h>

#include "apps/run.h"

namespace ser {
namespace {

using ::testing::HasSubstr;

TEST(Talk, CutsWhatIsQuoted) {
  const std::string long_name(1000, 'x');
  const std::string cut = "'" + long_name.substr(0, 199) + "...'";
  EXPECT_EQ(talk::shortened("f: expected 'a', found '" + long_name + "': no\n"),
            "f: expected 'a', found " + cut + ": no\n");
  EXPECT_EQ(talk::shortened("'" + long_name + "' and '" + long_name + "'"), cut + " and " + cut);
  EXPECT_EQ(talk::shortened("'it's'"), "'it's'");
  EXPECT_EQ(talk::shortened("'\xc3\xa4" + long_name + "'").size(), cut.size());
}

TEST(Talk, LeavesLongSentencesAndListsWhole) {
  std::string list = "the model's classes: ";
  for (int i = 0; i < 200; ++i) list += "class" + std::to_string(i) + "'s, ";
  EXPECT_EQ(talk::shortened(list + "and others' own"), list + "and others' own");
  std::string quoted = "expected one of ";
  for (int i = 0; i < 200; ++i) quoted += "'name" + std::to_string(i) + "', ";
  EXPECT_EQ(talk::shortened(quoted), quoted);
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "shard " + std::to_string(i) + " is missing\n";
  EXPECT_EQ(talk::shortened(lines), lines);
  EXPECT_EQ(talk::shortened(std::string(100000, 'x')).size(), (16u << 10) + 3);
}

TEST(Talk, OfABrokenFileIsShort) {
  const TempFolder folder;
  const std::string megabytes(7 << 20, 'n');
  for (const std::string& header :
       {"{\"__metadata__\": {\"format\": \"" + megabytes + "\"}}", "{\"" + megabytes + "\": 1}",
        "{\"t\": {\"" + megabytes + "\": 1}}"}) {
    std::string bytes(8, '\0');
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
    const std::string features = folder.add("f.safetensors", bytes + header).string();
    const Outcome refused = run("ser-train", {features, "-o", (folder / "m.json").string()});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_LT(refused.err.size(), 1000u) << refused.err.substr(0, 1000);
    EXPECT_THAT(refused.err, HasSubstr("..."));
  }
}

TEST(Talk, WhatManyRecordingsHaveIsSaidOfThreeAndCounted) {
  testing::internal::CaptureStderr();
  for (int i = 1; i <= 20; ++i) {
    talk::warn_of({"silent for " + std::to_string(i) + " s"}, "clip" + std::to_string(i));
    if (i < 3) talk::warn_of({"broken"}, "clip" + std::to_string(i));
  }
  talk::sum_up_notices();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning: clip1: silent for 1 s\n"
            "warning: clip1: broken\n"
            "warning: clip2: silent for 2 s\n"
            "warning: clip2: broken\n"
            "warning: clip3: silent for 3 s\n"
            "warning: 20 recordings in all (-v names each), such as clip20: silent for 20 s\n");
}

}  // namespace
}  // namespace ser
