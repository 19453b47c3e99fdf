#include "ser/eval/result_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/predictions.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kTwoLetters = {"a", "b"};

/// One clip a letter: 'r' right, 'w' wrong; truth alternates a, b; four clips a speaker.
ResultFile result(const std::string& outcomes, std::vector<std::string> labels = kTwoLetters) {
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
  // The first speaker lost two clips, the second won and lost one: only its sign matters.
  EXPECT_EQ(c.units, 2u);
  EXPECT_TRUE(c.by_speaker);
}

TEST(Compare, AResultIsAsGoodAsItself) {
  const ResultFile a = result("rrrwrrwwrwrwrrrr");
  const Comparison c = compare(a, a);
  EXPECT_DOUBLE_EQ(c.sign_flip_p, 1);
  EXPECT_DOUBLE_EQ(c.uar_difference, 0);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference->low, 0);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference->high, 0);
}

TEST(Compare, ConstantGainHasNoSpread) {
  const Comparison c = compare(result("wwrrwwrrwwrrwwrr"), result("rrrrrrrrrrrrrrrr"));
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference->low, 0.5);
  EXPECT_DOUBLE_EQ(c.ci95_uar_difference->high, 0.5);
  EXPECT_DOUBLE_EQ(c.sign_flip_p, 2.0 / 16);  // four speakers, all of one sign
}

TEST(Compare, ClipsOfOneVoiceAreOneToss) {
  // 12 clips better and none worse, of one speaker: no evidence that another voice would gain.
  const Comparison c = compare(result("wwwwrrrr"), result("rrrrrrrr"));
  EXPECT_DOUBLE_EQ(c.sign_flip_p, 1);
  EXPECT_FALSE(c.ci95_uar_difference);
}

TEST(Compare, SignFlipsFollowTheCount) {
  // Gains of 1, 1, 1, 1, 1 clips and a loss of 1: |sum| >= 4 in 2 * (1 + 6) of 64 patterns.
  const Comparison c =
      compare(result("wrrrwrrrwrrrwrrrwrrrrrrr"), result("rrrrrrrrrrrrrrrrrrrrwrrr"));
  EXPECT_EQ(c.units, 6u);
  EXPECT_DOUBLE_EQ(c.sign_flip_p, 14.0 / 64);
}

TEST(Compare, ManySpeakersAreTossedAtRandomInAnyOrder) {
  std::string a, b;
  for (int speaker = 0; speaker < 20; ++speaker) {
    a += speaker < 6 ? "rrrr" : "wrrr";
    b += speaker < 6 ? "wrrr" : "rrrr";
  }
  // Binomial(20, 1/2): P(at most 6 or at least 14) = 0.1153.
  const double p = compare(result(a), result(b)).sign_flip_p;
  EXPECT_NEAR(p, 0.1153, 0.004);
  EXPECT_EQ(compare(result(b), result(a)).sign_flip_p, p);
  const std::string a_turned(a.rbegin(), a.rend()), b_turned(b.rbegin(), b.rend());
  EXPECT_EQ(compare(result(a_turned), result(b_turned)).sign_flip_p, p);
}

TEST(Compare, UnknownSpeakersAreTossedClipByClip) {
  ResultFile a = result("wwwwrrrr"), b = result("rrrrrrrr");
  for (ResultFile* side : {&a, &b})
    for (Prediction& p : side->predictions) p.speaker.clear();
  const Comparison c = compare(a, b);
  EXPECT_EQ(c.units, 8u);
  EXPECT_DOUBLE_EQ(c.sign_flip_p, 2.0 / 16);
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
