#include "ser/eval/result_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/predictions.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> kTwoEmotions = {"happy", "sad"};

ResultFile result_of(const std::string& fingerprint, std::vector<FoldPredictions> folds) {
  return make_result(
      {kTwoEmotions, "speakers:2", R"({"name": ")" + fingerprint + R"("})", fingerprint, 3},
      std::move(folds));
}

/// One clip, happy with these probabilities.
ResultFile one_clip(const std::string& fingerprint, double happy, double male) {
  const Prediction p{"a.wav", "1", "happy", "male", {happy, 1 - happy}, {male, 1 - male}};
  return result_of(fingerprint, {{0, {"1"}, {p}}});
}

TEST(Average, IsTheLogLinearPool) {
  const ResultFile pooled =
      average_results({one_clip("a", 0.8, 0.6), one_clip("b", 0.5, 0.9)}, {"a", "b"}, 1);
  // Odds are multiplied, then the root is taken: sqrt(4 * 1) = 2, sqrt(1.5 * 9).
  EXPECT_NEAR(pooled.predictions[0].probabilities[0], 2.0 / 3, 1e-12);
  const double odds = std::sqrt(1.5 * 9);
  EXPECT_NEAR(pooled.predictions[0].gender_probabilities[0], odds / (1 + odds), 1e-12);
  EXPECT_EQ(pooled.info.fingerprint, "a+b");
  EXPECT_EQ(pooled.info.recipe, R"({"average":[{"name":"a"},{"name":"b"}]})");
}

TEST(Average, TemperatureDividesTheEmotionsLogOdds) {
  const ResultFile pooled = average_results({one_clip("a", 0.8, 0.6)}, {"a"}, 0.5);
  EXPECT_NEAR(pooled.predictions[0].probabilities[0], 16.0 / 17, 1e-12);
  EXPECT_NEAR(pooled.predictions[0].gender_probabilities[0], 0.6, 1e-12);
}

/// The same of a recipe that says so.
ResultFile with_recipe(ResultFile result, const std::string& recipe) {
  result.info.recipe = recipe;
  return result;
}

TEST(Average, OfOneThatTellsTheEmotionOnlyTakesNothingElse) {
  const ResultFile a = one_clip("a", 0.8, 0.6);
  const ResultFile emotion = with_recipe(one_clip("b", 0.5, 0.9), R"({"emotion_only":true})");
  const ResultFile gender = with_recipe(one_clip("c", 0.1, 0.9), R"({"gender_only":true})");
  const ResultFile pooled = average_results({a, emotion}, {"a", "b"}, 1);
  EXPECT_NEAR(pooled.predictions[0].probabilities[0], 2.0 / 3, 1e-12);
  EXPECT_NEAR(pooled.predictions[0].gender_probabilities[0], 0.6, 1e-12);
  const double odds = std::sqrt(1.5 * 9);
  const ResultFile both = average_results({a, gender}, {"a", "c"}, 1);
  EXPECT_NEAR(both.predictions[0].probabilities[0], 0.8, 1e-12);
  EXPECT_NEAR(both.predictions[0].gender_probabilities[0], odds / (1 + odds), 1e-12);
  EXPECT_ERROR(average_results({gender}, {"c"}, 1), HasSubstr("whose emotions count"));
}

TEST(Average, GivesMaskedClassesNothing) {
  ResultInfo info = one_clip("a", 0.8, 0.6).info;
  info.labels.push_back("masked");
  const Prediction p{"a.wav", "1", "happy", "", {0.9, 0.1, 0}, {}};
  const ResultFile pooled = average_results({make_result(info, {{0, {"1"}, {p}}})}, {"a"}, 5);
  EXPECT_EQ(pooled.predictions[0].probabilities[2], 0);
  EXPECT_NEAR(pooled.predictions[0].probabilities[0], 1 / (1 + std::pow(9, -0.2)), 1e-12);
}

TEST(Average, FoldsOfOtherClipsAreRefused) {
  const ResultFile a = result_of("a", random_folds(kTwoEmotions, 2, 5, 1));
  std::vector<FoldPredictions> dealt = random_folds(kTwoEmotions, 2, 5, 1);
  std::swap(dealt[0].predictions[0], dealt[1].predictions[0]);
  EXPECT_ERROR(average_results({a, result_of("b", dealt)}, {"a", "b"}, 1),
               HasSubstr("expected the same clips in every fold"));
}

TEST(Average, MatchesClipsByNameAndKeepsFolds) {
  std::vector<FoldPredictions> folds = random_folds(kTwoEmotions, 2, 5, 1), turned = folds;
  for (FoldPredictions& fold : turned) std::ranges::reverse(fold.predictions);
  const ResultFile a = result_of("a", folds),
                   pooled = average_results({a, result_of("a", turned)}, {"a", "b"}, 1);
  ASSERT_EQ(pooled.folds.size(), 2u);
  EXPECT_EQ(pooled.info.fingerprint, "a");
  for (std::size_t i = 0; i < a.predictions.size(); ++i)
    EXPECT_NEAR(pooled.predictions[i].probabilities[0], a.predictions[i].probabilities[0], 1e-12);
}

TEST(Average, WasTrainedOnWhatAnyOfItsModelsWas) {
  std::vector<FoldPredictions> a = random_folds(kTwoEmotions, 2, 5, 1), b = a;
  a[1].trained_on = {0, 2};
  b[1].trained_on = {1, 1, true};
  const ResultFile pooled = average_results({result_of("a", a), result_of("b", b)}, {"a", "b"}, 1);
  EXPECT_EQ(pooled.folds[0].trained_on.speakers + pooled.folds[0].trained_on.clips, 0);
  EXPECT_EQ(pooled.folds[1].trained_on.speakers, 1);
  EXPECT_EQ(pooled.folds[1].trained_on.clips, 2);
  EXPECT_TRUE(pooled.folds[1].trained_on.untold);
}

TEST(Average, ResultsThatDifferAreRefused) {
  const ResultFile a = one_clip("a", 0.8, 0.6);
  const auto refused = [&](ResultFile b, const char* message) {
    EXPECT_ERROR(average_results({a, b}, {"a.json", "b.json"}, 1),
                 AllOf(HasSubstr("a.json and b.json"), HasSubstr(message)));
  };
  ResultFile b = a;
  b.info.labels = {"happy", "angry"};
  refused(b, "expected the same labels, found happy,sad and happy,angry");
  b = a;
  b.info.split = "loso";
  refused(b, "expected the same split, found speakers:2 and loso");
  b = a;
  b.info.heard = 4;
  refused(b, "expected the same number of clips heard, found 0 and 4");
  b = a;
  b.folds[0].test_speakers = {"2"};
  refused(b, "expected the same speakers in every fold");
  b = a;
  b.predictions[0].file = "b.wav";
  refused(b, "expected the same clips");
  EXPECT_ERROR(average_results({a}, {"a"}, 0), HasSubstr("temperature: expected a number above 0"));
  EXPECT_ERROR(average_results({}, {}, 1), HasSubstr("expected results to average, found none"));
}

}  // namespace
}  // namespace ser
