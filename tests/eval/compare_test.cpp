#include "ser/eval/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/predictions.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kLabels = {"a", "b"};

/// One clip a letter: 'r' right, 'w' wrong; truth alternates a, b; four clips a speaker.
ResultFile result(const std::string& outcomes, std::vector<std::string> labels = kLabels) {
  FoldPredictions fold;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::string truth = i % 2 == 0 ? "a" : "b", other = i % 2 == 0 ? "b" : "a";
    fold.predictions.push_back(predict(labels, std::to_string(i), std::to_string(i / 4), truth,
                                       outcomes[i] == 'r' ? truth : other));
  }
  return make_result({labels, "", "", "", 1}, {fold});
}

TEST(Compare, CountsClipsThatOneAloneGetsRight) {
  const Comparison c = compare(result("rrrrrrww"), result("rrwwwwrw"));
  EXPECT_EQ(c.n, 8);
  EXPECT_EQ(c.only_a_right, 4);
  EXPECT_EQ(c.only_b_right, 1);
  EXPECT_DOUBLE_EQ(c.accuracy_a, 6.0 / 8);
  EXPECT_DOUBLE_EQ(c.uar_difference, c.uar_b - c.uar_a);
  // P(at most 1 of 5 heads) twice: 2 * (1 + 5) / 32
  EXPECT_NEAR(c.mcnemar_p, 0.375, 1e-12);
}

TEST(Compare, AResultIsAsGoodAsItself) {
  const ResultFile a = result("rrrwrrww");
  const Comparison c = compare(a, a);
  EXPECT_DOUBLE_EQ(c.mcnemar_p, 1);
  EXPECT_DOUBLE_EQ(c.uar_difference, 0);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference.low, 0);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference.high, 0);
}

TEST(Compare, ConstantGainHasNoSpread) {
  const Comparison c = compare(result("wwrrwwrrwwrr"), result("rrrrrrrrrrrr"));
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference.low, 0.5);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference.high, 0.5);
  EXPECT_NEAR(c.mcnemar_p, 2 * std::pow(0.5, 6), 1e-12);
}

TEST(Compare, OrderOfClipsAndLabelsDoesNotMatter) {
  ResultFile b = result("rrwwwwrw", {"b", "a"});
  std::swap(b.predictions[0], b.predictions[5]);
  EXPECT_EQ(compare(result("rrrrrrww"), b).only_a_right, 4);
}

TEST(Compare, RefusesOtherClips) {
  EXPECT_ERROR(compare(result("rrrr"), result("rrrrr")), HasSubstr("found 4 in the second only"));
  EXPECT_ERROR(compare(result("rrrrr"), result("rrrr")), HasSubstr("found 4 in the first only"));
  EXPECT_ERROR(compare(result("rr"), result("rr", {"a", "b", "c"})),
               HasSubstr("same classes, found a,b and a,b,c"));
  ResultFile other = result("rrrr");
  other.predictions[2].emotion = "b";
  EXPECT_ERROR(compare(result("rrrr"), other), HasSubstr("2: expected the same true emotion"));
}

}  // namespace
}  // namespace ser
