#include "ser/eval/metrics.h"

#include <gtest/gtest.h>

namespace ser {
namespace {

const std::vector<std::string> kHappySad = {"happy", "sad"};

Prediction answer(double probability, bool right) {
  return {"", "", right ? "happy" : "sad", "", {probability, 1 - probability}, {}};
}

const std::vector<Prediction> kAnswers = {answer(0.55, false), answer(0.9, true),
                                          answer(0.8, false),  answer(0.6, true),
                                          answer(0.7, true),   answer(0.6, true)};

TEST(RiskCoverage, GoesFromTheSurestAnswerToAll) {
  const std::vector<KeptAnswers> curve = risk_coverage(kHappySad, kAnswers);
  ASSERT_EQ(curve.size(), 5u) << "the two of 0.6 come together";
  EXPECT_DOUBLE_EQ(curve[0].from, 0.85);
  EXPECT_EQ(curve[0].kept, 1);
  EXPECT_EQ(curve[1].kept, 2);
  EXPECT_EQ(curve[1].right, 1);
  EXPECT_EQ(curve[3].kept, 5);
  EXPECT_EQ(curve[3].right, 4);
  EXPECT_EQ(curve[4].from, 0);
  EXPECT_EQ(curve[4].kept, 6);
}

TEST(RiskCoverage, KeepsAsMuchAsTheRiskAllows) {
  const std::vector<KeptAnswers> curve = risk_coverage(kHappySad, kAnswers);
  EXPECT_EQ(kept_at_risk(curve, 0).kept, 1);
  EXPECT_EQ(kept_at_risk(curve, 0.2).kept, 5) << "exactly one wrong of five";
  EXPECT_DOUBLE_EQ(kept_at_risk(curve, 0.2).from, 0.575);
  EXPECT_EQ(kept_at_risk(curve, 0.5).kept, 6);
  EXPECT_EQ(kept_at_risk(curve, 0.5).from, 0);
}

TEST(RiskCoverage, KeepsNothingWhereTheRiskCannotBeHad) {
  const KeptAnswers none =
      kept_at_risk(risk_coverage(kHappySad, {answer(0.9, false), answer(0.8, false)}), 0.2);
  EXPECT_EQ(none.kept, 0);
  EXPECT_EQ(none.from, 1);
  EXPECT_EQ(kept_at_risk({}, 0.2).kept, 0);
}

}  // namespace
}  // namespace ser
