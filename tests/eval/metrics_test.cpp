#include "ser/eval/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/predictions.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kLetters = {"a", "b", "c"};

/// Truth and answer of each clip, "ab" for a clip of class a that is called b.
std::vector<Prediction> answers(const std::vector<std::string>& pairs) {
  std::vector<Prediction> predictions;
  for (const std::string& pair : pairs)
    predictions.push_back(predict(kLetters, std::to_string(predictions.size()), "",
                                  pair.substr(0, 1), pair.substr(1, 1)));
  return predictions;
}

TEST(Score, CountsConfusionsWithTruthInRows) {
  const Scores scores = score(kLetters, answers({"aa", "aa", "ab", "ba", "bb", "cc"}));
  Eigen::Matrix<std::int64_t, 3, 3> expected;
  expected << 2, 1, 0, 1, 1, 0, 0, 0, 1;
  EXPECT_EQ(scores.confusion, expected);
  EXPECT_EQ(scores.n, 6);
  EXPECT_DOUBLE_EQ(scores.accuracy, 4.0 / 6);
  EXPECT_DOUBLE_EQ(scores.uar, (2.0 / 3 + 1.0 / 2 + 1) / 3);
}

TEST(Score, GivesPrecisionRecallAndF1OfEachClass) {
  const Scores scores = score(kLetters, answers({"aa", "aa", "ab", "ba", "bb", "bb", "bb", "cc"}));
  EXPECT_EQ(scores.per_class[1].label, "b");
  EXPECT_EQ(scores.per_class[1].support, 4);
  EXPECT_DOUBLE_EQ(scores.per_class[1].precision, 3.0 / 4);
  EXPECT_DOUBLE_EQ(scores.per_class[1].recall, 3.0 / 4);
  EXPECT_DOUBLE_EQ(scores.per_class[0].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.per_class[0].f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 3.0 / 4 + 1) / 3);
}

TEST(Score, ClassesAbsentFromTheTruthDoNotEnterTheMeans) {
  const Scores scores = score(kLetters, answers({"aa", "ac", "bb", "bb"}));
  EXPECT_DOUBLE_EQ(scores.uar, 0.75);
  EXPECT_DOUBLE_EQ(scores.macro_f1, (2.0 / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(scores.per_class[2].precision, 0);
  EXPECT_DOUBLE_EQ(scores.per_class[2].recall, 0);
}

TEST(Score, GenderCountsWhereItIsKnown) {
  auto predictions = answers({"aa", "aa", "aa", "aa"});
  EXPECT_TRUE(std::isnan(score(kLetters, predictions).gender_accuracy));
  for (auto& p : predictions) p.gender_probabilities = {0.7, 0.3};
  EXPECT_TRUE(std::isnan(score(kLetters, predictions).gender_accuracy));
  predictions[0].gender = predictions[1].gender = "male";
  predictions[2].gender = "female";
  EXPECT_DOUBLE_EQ(score(kLetters, predictions).gender_accuracy, 2.0 / 3);
}

TEST(Score, CalibrationErrorWeighsBinsByClips) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 10; ++i)  // confidence 0.95, all but one right: |0.9 - 0.95|
    predictions.push_back(predict(kLetters, "x", "", "a", i == 0 ? "b" : "a", 0.95));
  for (int i = 0; i < 30; ++i)  // confidence 0.55, one third right
    predictions.push_back(predict(kLetters, "y", "", "a", i % 3 == 0 ? "a" : "b", 0.55));
  EXPECT_NEAR(score(kLetters, predictions).ece, 0.25 * 0.05 + 0.75 * (0.55 - 1.0 / 3), 1e-12);
}

TEST(Score, CertainAndRightIsPerfectlyCalibrated) {
  EXPECT_DOUBLE_EQ(score(kLetters, {predict(kLetters, "x", "", "a", "a", 1.0)}).ece, 0);
}

TEST(Score, SpeakersAreSortedByNumber) {
  std::vector<Prediction> predictions;
  for (const char* speaker : {"10", "9", "10", "1"})
    predictions.push_back(predict(kLetters, "x", speaker, "a", *speaker == '9' ? "b" : "a"));
  const auto speakers = score(kLetters, predictions).per_speaker;
  ASSERT_EQ(speakers.size(), 3u);
  EXPECT_EQ(speakers[0].speaker, "1");
  EXPECT_EQ(speakers[1].speaker, "9");
  EXPECT_DOUBLE_EQ(speakers[1].accuracy, 0);
  EXPECT_EQ(speakers[2].n, 2);
  EXPECT_DOUBLE_EQ(speakers[2].uar, 1);
}

TEST(Intervals, OverClipsAreThoseOfTheBinomial) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 400; ++i)
    predictions.push_back(predict(kLetters, std::to_string(i), "", "a", i % 4 == 0 ? "b" : "a"));
  const Interval ci = intervals(kLetters, predictions)->accuracy;
  const double half = 1.96 * std::sqrt(0.75 * 0.25 / 400);
  EXPECT_NEAR(ci.low, 0.75 - half, 0.003);
  EXPECT_NEAR(ci.high, 0.75 + half, 0.003);
}

TEST(Intervals, OverSpeakersAreWiderWhereSpeakersDiffer) {
  std::vector<Prediction> by_speaker, by_clip;
  for (int i = 0; i < 400; ++i) {
    const std::string speaker = std::to_string(i % 10);
    by_speaker.push_back(predict(kLetters, "x", speaker, "a", i % 10 < 5 ? "b" : "a"));
    by_clip.push_back(predict(kLetters, "x", "", "a", i % 10 < 5 ? "b" : "a"));
  }
  const Interval wide = intervals(kLetters, by_speaker)->accuracy;
  const Interval narrow = intervals(kLetters, by_clip)->accuracy;
  // Ten values of 0 or 1: error 1/6 of a share of 1/2, so 2/3 in log odds; t(9) = 2.262.
  EXPECT_NEAR(wide.low, 1 / (1 + std::exp(2.262157 * 2 / 3)), 1e-6);
  EXPECT_NEAR(wide.low + wide.high, 1, 1e-12);
  EXPECT_LT(narrow.high - narrow.low, 0.11);
}

TEST(Intervals, ThereAreNoneForThreeSpeakers) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 300; ++i)
    predictions.push_back(
        predict(kLetters, "x", std::to_string(i % 3), "a", i % 4 == 0 ? "b" : "a"));
  EXPECT_FALSE(intervals(kLetters, predictions));
  for (int i = 0; i < 100; ++i) predictions.push_back(predict(kLetters, "x", "3", "a", "a"));
  EXPECT_TRUE(intervals(kLetters, predictions));
}

TEST(Intervals, APerfectScoreStillHasOne) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 80; ++i)
    predictions.push_back(predict(kLetters, "x", std::to_string(i % 4), "a", "a"));
  const auto ci = intervals(kLetters, predictions);
  EXPECT_DOUBLE_EQ(ci->uar.high, 1);
  const double t = 3.182446;  // Wilson: n / (n + t^2)
  EXPECT_NEAR(ci->uar.low, 80 / (80 + t * t), 1e-6);
}

TEST(Intervals, AClassOfOneSpeakerAloneDoesNotBreakThem) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 40; ++i)
    predictions.push_back(
        predict(kLetters, "x", std::to_string(i % 5), i % 5 ? "a" : "b", i % 3 ? "a" : "b"));
  const auto ci = intervals(kLetters, predictions);
  EXPECT_GE(ci->uar.low, 0);
  EXPECT_LE(ci->uar.high, 1);
  EXPECT_LT(ci->uar.low, ci->uar.high);
}

TEST(Score, RefusesPredictionsThatDoNotFit) {
  EXPECT_ERROR(score(kLetters, {}), HasSubstr("found none"));
  auto predictions = answers({"aa"});
  predictions[0].emotion = "";
  EXPECT_ERROR(score(kLetters, predictions), HasSubstr("expected an emotion among a, b, c"));
  predictions = answers({"aa"});
  predictions[0].probabilities.pop_back();
  EXPECT_ERROR(score(kLetters, predictions), HasSubstr("expected 3 probabilities"));
  predictions = answers({"aa"});
  predictions[0].probabilities[1] = std::nan("");
  EXPECT_ERROR(score(kLetters, predictions), HasSubstr("expected probabilities in [0, 1]"));
}

TEST(MostLikely, TakesTheFirstOfEquals) {
  EXPECT_EQ(most_likely(std::vector<double>{0.2, 0.4, 0.4}), 1u);
}

TEST(BestTemperature, MakesConfidenceMatchAccuracy) {
  // 80 of 100 right: a confidence of 0.8 is as it should be; twice the log odds are halved.
  for (const auto& [confidence, temperature] : {std::pair{0.8, 1.0}, {16.0 / 17, 2.0}}) {
    std::vector<Prediction> predictions;
    for (int i = 0; i < 100; ++i)
      predictions.push_back(
          predict({"a", "b"}, std::to_string(i), "", "a", i < 80 ? "a" : "b", confidence));
    EXPECT_NEAR(score({"a", "b"}, predictions).best_temperature, temperature, 1e-3);
  }
}

TEST(BestTemperature, IsNotThatOfClassesWithoutAProbability) {
  // "c" is masked, and a model that does not have "d" misses it whatever the temperature.
  std::vector<Prediction> predictions;
  for (int i = 0; i < 100; ++i) {
    Prediction p = predict({"a", "b"}, std::to_string(i), "", "a", i < 80 ? "a" : "b", 0.9999);
    p.probabilities.insert(p.probabilities.end(), {0, 0});
    predictions.push_back(p);
  }
  const double fitted = score({"a", "b", "c", "d"}, predictions).best_temperature;
  EXPECT_NEAR(fitted, std::log(0.9999 / 0.0001) / std::log(4.0), 1e-2);
  for (int i = 0; i < 20; ++i)
    predictions.push_back(predictions[0]), predictions.back().emotion = "d";
  EXPECT_NEAR(score({"a", "b", "c", "d"}, predictions).best_temperature, fitted, 1e-2);
}

TEST(CalibrationBins, AddUpToTheCalibrationError) {
  std::vector<Prediction> predictions;
  for (const auto& [said, confidence] :
       std::vector<std::pair<std::string, double>>{{"a", 0.95}, {"b", 0.95}, {"a", 0.45}})
    predictions.push_back(
        predict(kLetters, std::to_string(predictions.size()), "", "a", said, confidence));
  const auto bins = calibration_bins(kLetters, predictions);
  EXPECT_EQ(bins[9].n, 2);
  EXPECT_EQ(bins[9].right, 1);
  EXPECT_DOUBLE_EQ(bins[9].confidence_sum, 1.9);
  EXPECT_EQ(bins[4].n, 1);
  EXPECT_EQ(bins[0].n, 0);
  EXPECT_DOUBLE_EQ(score(kLetters, predictions).ece, (std::abs(1 - 1.9) + (1 - 0.45)) / 3);
}

TEST(Wilson, GivesThePublishedIntervals) {
  // Newcombe (1998), table I, method 3.
  const Interval many = wilson_95(81, 263), few = wilson_95(15, 148), none = wilson_95(0, 20);
  EXPECT_NEAR(many.low, 0.2553, 5e-5);
  EXPECT_NEAR(many.high, 0.3662, 5e-5);
  EXPECT_NEAR(few.low, 0.0624, 5e-5);
  EXPECT_NEAR(few.high, 0.1605, 5e-5);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.1611, 5e-5);
}

TEST(Wilson, NoTrialsSayNothing) {
  EXPECT_EQ(wilson_95(0, 0).low, 0);
  EXPECT_EQ(wilson_95(0, 0).high, 1);
}

}  // namespace
}  // namespace ser
