#include "ser/model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/internal/batch.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Model model_on(const std::string& features, int rows, int members, const std::string& speaker) {
  Model model;
  model.emotions = {"happy", "sad", "angry"};
  model.genders = {"male", "female"};
  model.training.recipe = R"({"features":")" + features + R"("})";
  model.training.speakers = {speaker};
  for (int m = 0; m < members; ++m) {
    FeatureSet set = parse_feature_set(features, Pooling::kMean);
    nn::NetworkOptions options;
    nn::Network network(options, input_shape(rows, false), 5);
    network.initialize(Rng(7, static_cast<std::uint64_t>(m)));
    model.members.push_back({set, {}, network, 1.5, 1, {}});
  }
  return model;
}

const Model kMfcc = model_on("mfcc", 20, 2, "1");
const Model kChroma = model_on("chroma", 12, 1, "2");

ClipFeatures clips_of(const Model& model, int rows) {
  return {fingerprint(model.members[0].set), {Eigen::MatrixXf::Constant(rows, 1, 0.5f)}};
}

TEST(Ensemble, AveragesTheModelsLogOddsWhateverTheirNumberOfMembers) {
  const ClipFeatures mfcc = clips_of(kMfcc, 20), chroma = clips_of(kChroma, 12);
  const Eigen::VectorXd a = predict(kMfcc, {mfcc}, {}, 1)[0].emotions,
                        b = predict(kChroma, {chroma}, {}, 1)[0].emotions;
  const Eigen::VectorXd pooled =
      predict(combine({kMfcc, kChroma}, {"a", "b"}), {chroma, mfcc}, {}, 1)[0].emotions;
  Eigen::VectorXd expected = (a.array() * b.array()).sqrt();
  expected /= expected.sum();
  EXPECT_TRUE(pooled.isApprox(expected, 1e-5)) << pooled << "\n" << expected;
}

TEST(Ensemble, FoldsDrawnWithOtherSeedsAreNotCombined) {
  Model a = kMfcc, b = kChroma;
  for (Model* model : {&a, &b}) model->training.split = "random:4", model->training.fold = 0;
  a.training.seed = 7;
  b.training.seed = 8;
  EXPECT_ERROR(combine({a, b}, {"a", "b"}),
               testing::HasSubstr("'random:4' drawn with seeds 7 and 8"));
  a.training.split = b.training.split = "speakers:4";
  EXPECT_NO_THROW(combine({a, b}, {"a", "b"}));
  EXPECT_ERROR(combine({a, b}, {"a"}), HasSubstr("expected a name for each of 2 models"));
  EXPECT_ERROR(Predictor(Model()), HasSubstr("expected a model with networks"));
  EXPECT_ERROR(Predictor(a).predict(RecordingFeatures()), HasSubstr("which are not there"));
}

TEST(Ensemble, TheStrictestCertaintyStays) {
  Model strict = kChroma;
  strict.uncertain_below = 0.9;
  EXPECT_EQ(combine({kMfcc, strict}, {"a", "b"}).uncertain_below, 0.9);
  EXPECT_EQ(combine({strict, kMfcc}, {"a", "b"}).uncertain_below, 0.9);
}

TEST(Ensemble, OfAMemberForGenderOnlyTheGenderCounts) {
  Model chroma_model = kChroma;
  chroma_model.members[0].gender_only = true;
  const ClipFeatures mfcc = clips_of(kMfcc, 20), chroma = clips_of(kChroma, 12);
  const ClipPrediction a = predict(kMfcc, {mfcc}, {}, 1)[0],
                       b = predict(chroma_model, {chroma}, {}, 1)[0];
  const Model both = combine({kMfcc, chroma_model}, {"a", "b"});
  const ClipPrediction pooled = predict(both, {chroma, mfcc}, {}, 1)[0];
  EXPECT_TRUE(pooled.emotions.isApprox(a.emotions, 1e-5)) << pooled.emotions;
  Eigen::VectorXd expected = (a.genders.array() * b.genders.array()).sqrt();
  expected /= expected.sum();
  EXPECT_TRUE(pooled.genders.isApprox(expected, 1e-5)) << pooled.genders;
  EXPECT_EQ(b.emotions, predict(kChroma, {chroma}, {}, 1)[0].emotions) << "alone it tells both";
  EXPECT_TRUE(uncalibrated(both, pooled.emotions).isApprox(uncalibrated(kMfcc, a.emotions), 1e-4));
}

TEST(Ensemble, OfAMemberForEmotionsOnlyTheEmotionsCount) {
  Model chroma_model = kChroma;
  chroma_model.members[0].emotion_only = true;
  const ClipFeatures mfcc = clips_of(kMfcc, 20), chroma = clips_of(kChroma, 12);
  const ClipPrediction a = predict(kMfcc, {mfcc}, {}, 1)[0],
                       b = predict(chroma_model, {chroma}, {}, 1)[0];
  const ClipPrediction pooled =
      predict(combine({kMfcc, chroma_model}, {"a", "b"}), {chroma, mfcc}, {}, 1)[0];
  EXPECT_TRUE(pooled.genders.isApprox(a.genders, 1e-5)) << pooled.genders;
  Eigen::VectorXd expected = (a.emotions.array() * b.emotions.array()).sqrt();
  expected /= expected.sum();
  EXPECT_TRUE(pooled.emotions.isApprox(expected, 1e-5)) << pooled.emotions;
  EXPECT_EQ(b.genders, predict(kChroma, {chroma}, {}, 1)[0].genders) << "alone it tells both";
}

TEST(Ensemble, TemperatureSharpensOnceMore) {
  const ClipFeatures mfcc = clips_of(kMfcc, 20);
  Eigen::VectorXd expected = predict(kMfcc, {mfcc}, {}, 1)[0].emotions.array().square();
  expected /= expected.sum();
  EXPECT_TRUE(
      predict(combine({kMfcc}, {"a"}, 0.5), {mfcc}, {}, 1)[0].emotions.isApprox(expected, 1e-5));
}

TEST(Ensemble, RemembersWhereItsModelsComeFrom) {
  Model first = kMfcc, second = kChroma;
  first.training.recordings = {"00", "20"};
  second.training.recordings = {"10", "20"};
  const Model ensemble = combine({first, second}, {"a", "b"});
  EXPECT_EQ(ensemble.training.recipe, R"({"average":[{"features":"mfcc"},{"features":"chroma"}]})");
  EXPECT_THAT(ensemble.training.speakers, ElementsAre("1", "2"));
  EXPECT_THAT(ensemble.training.recordings, ElementsAre("00", "10", "20"));
}

TEST(Ensemble, NeedsTheFeaturesOfEveryMember) {
  EXPECT_ERROR(predict(combine({kMfcc, kChroma}, {"a", "b"}), {clips_of(kMfcc, 20)}, {}, 1),
               AllOf(HasSubstr(fingerprint(kChroma.members[0].set)),
                     HasSubstr(fingerprint(kMfcc.members[0].set))));
}

TEST(Ensemble, ModelsThatDifferAreRefused) {
  const auto refused = [](const Model& other, const char* message) {
    EXPECT_ERROR(combine({kMfcc, other}, {"a.json", "b.json"}),
                 AllOf(HasSubstr("a.json and b.json"), HasSubstr(message)));
  };
  Model other = kChroma;
  other.emotions = {"happy", "sad", "bored"};
  refused(other, "expected the same emotions, found happy,sad,angry and happy,sad,bored");
  other = kChroma;
  other.genders.clear();
  refused(other, "expected the same genders");
  other = kChroma;
  other.training.split = "speakers:5";
  other.training.fold = 1;
  refused(other, "found fold -1 of '' and fold 1 of 'speakers:5'");
  EXPECT_ERROR(combine({}, {}), HasSubstr("expected models to combine, found none"));
  EXPECT_ERROR(combine({kMfcc}, {"a"}, -1), HasSubstr("temperature: expected a number above 0"));
}

}  // namespace
}  // namespace ser
