#include "ser/core/csv.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, SplitsCellsAndCountsLines) {
  const auto records = parse_csv("a,b\r\n\r\n\"x\ny\",\r\n,z");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_THAT(records[0].cells, ElementsAre("a", "b"));
  EXPECT_THAT(records[1].cells, ElementsAre("x\ny", ""));
  EXPECT_EQ(records[1].line, 3u);
  EXPECT_THAT(records[2].cells, ElementsAre("", "z"));
  EXPECT_EQ(records[2].line, 5u);
}

TEST(Csv, KeepsACarriageReturnInsideACell) {
  EXPECT_THAT(parse_csv("a\rb,c\n")[0].cells, ElementsAre("a\rb", "c"));
}

TEST(Csv, EmptyTextHasNoRecords) { EXPECT_TRUE(parse_csv("\r\n").empty()); }

TEST(Csv, RefusesBrokenQuotes) {
  EXPECT_ERROR(parse_csv("a\n\"b\nc"), HasSubstr("line 2: the quote is never closed"));
  EXPECT_ERROR(parse_csv("\"a\nb\"c"), HasSubstr("line 2: expected a comma"));
}

TEST(Csv, WrittenCellsReadBack) {
  for (const char* text : {"plain", "a,b", "say \"hi\"", "two\nlines", "", "\r", "'", " "})
    EXPECT_EQ(parse_csv(csv_cell(text) + ",end")[0].cells[0], text);
  EXPECT_EQ(csv_cell("plain"), "plain");
}

}  // namespace
}  // namespace ser
