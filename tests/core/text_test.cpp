#include "ser/core/text.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_TRUE(split("", ',').empty());
  EXPECT_EQ(join(split("a,,b,", ','), ","), "a,,b,");
}

TEST(Text, TrimAndLower) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(to_lower("AbÉZ"), "abÉz");
}

TEST(Text, NumbersAreReadWhole) {
  EXPECT_EQ(parse_int("-12", "n"), -12);
  EXPECT_DOUBLE_EQ(parse_double("1e-3", "x"), 1e-3);
  for (const char* text : {"", "1x", " 1", "1.5"})
    EXPECT_ERROR(parse_int(text, "n"),
                 HasSubstr(std::string("n: expected an integer, found '") + text));
  EXPECT_ERROR(parse_int("2147483648", "n"),
               HasSubstr("n: expected an integer from -2147483648 to 2147483647, found '2147"));
  EXPECT_ERROR(parse_double("1,5", "x"), HasSubstr("x: expected a number, found '1,5'"));
  EXPECT_ERROR(parse_double("nan", "x"), HasSubstr("finite"));
  EXPECT_ERROR(parse_double("inf", "x"), HasSubstr("finite"));
}

TEST(Text, SuggestsTheNearestWordIfItIsNear) {
  const std::vector<std::string> words = {"happy", "sad", "angry"};
  EXPECT_EQ(did_you_mean("hapyp", words), " (did you mean 'happy'?)");
  EXPECT_EQ(did_you_mean("ad", words), " (did you mean 'sad'?)");
  EXPECT_EQ(did_you_mean("surprised", words), "");
  EXPECT_EQ(did_you_mean("ang", words), " (did you mean 'angry'?)");
  EXPECT_EQ(did_you_mean("an", words), "");
  const std::vector<std::string> flags = {"--hop", "--completion", "--config"};
  EXPECT_EQ(did_you_mean("--comp", flags), " (did you mean '--completion'?)");
  EXPECT_EQ(did_you_mean("--", flags), "");
  EXPECT_EQ(did_you_mean(std::string(100000, 'x'), words), "");
}

TEST(Text, TellsUtf8) {
  for (const char* text :
       {"", "plain", "é", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "a\xE2\x82"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

// Vectors of the FNV authors for FNV-1a, 64 bits.
TEST(Hash, GivesTheKnownAnswers) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fingerprint("foobar"), "85944171f73967e8");
}

TEST(SomeOf, SaysHowManyMore) {
  EXPECT_EQ(some_of({}), "");
  EXPECT_EQ(some_of(std::vector<std::string>{"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(some_of(std::vector<std::string>(20000, "a")), "a, a and 19998 more");
  EXPECT_EQ(some_of(std::vector<std::string>(5, "a"), 3), "a, a, a and 2 more");
}

}  // namespace
}  // namespace ser
