#include <gtest/gtest.h>

#include "core/internal/json_io.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

TEST(ParseJson, SaysWhereParsingStopped) {
  EXPECT_ERROR(parse_json("{\"a\": ]", "file"),
               HasSubstr("file: not valid JSON (stopped at byte 7)"));
  EXPECT_ERROR(parse_json("{\"a\": [1,", "file"), HasSubstr("stopped at byte 10, where it ends)"));
  EXPECT_ERROR(parse_json("\"\xff\"", "file"), HasSubstr("not valid JSON"));
  for (const char* other : {"", "RIFF", "\x80\3"})
    EXPECT_ERROR(parse_json(other, "file"), HasSubstr("expected JSON, found none"));
}

TEST(ParseJson, RefusesNumbersNoDoubleHolds) {
  EXPECT_ERROR(parse_json("[1e999]", "file"), HasSubstr("a number is too large"));
}

TEST(ParseJson, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(256), "file"));
  EXPECT_ERROR(parse_json(nested(257), "file"), HasSubstr("nested deeper than 256"));
  EXPECT_ERROR(parse_json(nested(1 << 20), "file"), HasSubstr("nested deeper than 256"));
}

TEST(ParseJson, KeepsWhatIsNestedWhereAnObjectGrows) {
  // Copied at every level, so much would take a minute.
  std::string text = "1000";
  for (int i = 0; i < 1000000; ++i) text += ",1";
  text = "[" + text + "]";
  for (int level = 0; level < 250; ++level) text = "{\"x\":" + text + ",\"y\":2,\"z\":3}";
  const Json json = parse_json(text, "file");
  const Json* inner = &json;
  for (int level = 0; level < 250; ++level) {
    EXPECT_EQ(inner->at("z"), 3);
    inner = &inner->at("x");
  }
  EXPECT_EQ(inner->size(), 1000001u);
}

TEST(ParseJson, RefusesHugeObjectsOnly) {
  const auto members = [](int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":[1,2]";
    return text + "}";
  };
  EXPECT_EQ(parse_json(members(1024), "file").size(), 1024u);
  EXPECT_ERROR(parse_json(members(1025), "file"),
               HasSubstr("file: a JSON object has more than 1024"));
  std::string list = "[0";
  for (int i = 0; i < 5000; ++i) list += ",{}";
  EXPECT_EQ(parse_json(list + "]", "file").size(), 5001u);
}

TEST(ParseJson, RefusesAKeyThatStandsTwice) {
  EXPECT_ERROR(parse_json(R"([{"a": 1, "b": {"c": 2}, "a": {}}])", "file"),
               HasSubstr("file: the key 'a' stands twice"));
  EXPECT_NO_THROW(parse_json(R"([{"a": 1}, {"a": {"a": 1}}])", "file"));
}

TEST(ParseJson, BracketsInStringsAreNoNesting) {
  const std::string brackets = "\"\\\"" + std::string(1000, '[') + "\"";
  EXPECT_EQ(parse_json(brackets, "file").get<std::string>().size(), 1001u);
}

TEST(CheckKeys, NamesTheUnknownOne) {
  constexpr std::string_view known[] = {"a", "b"};
  EXPECT_NO_THROW(check_keys(Json{{"a", 1}}, known, "file"));
  EXPECT_ERROR(check_keys(Json{{"c", 1}}, known, "file"), HasSubstr("file: unknown key 'c'"));
  EXPECT_ERROR(check_keys(Json(3), known, "file"),
               HasSubstr("expected a JSON object, found number"));
}

}  // namespace
}  // namespace ser
