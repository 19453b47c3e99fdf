#include "ser/model/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/internal/batch.h"
#include "model/mfcc_rows.h"
#include "ser/features/extractor.h"
#include "ser/model/model.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::HasSubstr;

Eigen::MatrixXf random_clip(std::uint64_t stream, int frames = 1) {
  Rng rng(5, stream);
  Eigen::MatrixXf clip(kMfccRows, frames);
  for (float& x : clip.reshaped()) x = static_cast<float>(rng.normal());
  return clip;
}

/// Standardises to (x - 1) * 2, cut at 3.
Scaler some_scaler() {
  return {{ScalerOptions::Kind::kRows, 3},
          Eigen::VectorXf::Ones(kMfccRows),
          Eigen::VectorXf::Constant(kMfccRows, 2)};
}

ListeningOptions listening() { return {true, 4, 0.1, 0.2}; }

/// A model whose answers differ strongly from clip to clip.
Model some_model(const ListeningOptions& options) {
  const FeatureSet set = parse_feature_set("mfcc", Pooling::kMean);
  nn::Network network({}, input_shape(kMfccRows, false), 4);
  network.initialize(Rng(1, 0));
  network.parameters() *= 3;
  Model model;
  model.emotions = {"happy", "sad"};
  model.genders = {"male", "female"};
  model.members.push_back({set, some_scaler(), network, 1, 1, options});
  return model;
}

std::vector<ClipFeatures> clips_of(const Model& model, const std::vector<Eigen::MatrixXf>& clips) {
  return {{fingerprint(model.members[0].set), clips}};
}

Waveform tone(double hz) {
  Waveform wave{Eigen::VectorXf(16000), 16000};
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i)
    wave.samples[i] = static_cast<float>(0.3 * std::sin(2 * M_PI * hz * double(i) / 16000));
  return wave;
}

TEST(VoiceOffset, IsTheScaledMeanOverAllFramesShrunkByTheClipsHeard) {
  HeardFeatures heard;
  heard.add(Eigen::MatrixXf::Constant(kMfccRows, 30, 2));
  heard.add(Eigen::MatrixXf::Constant(kMfccRows, 10, 6));  // mean over frames 3, scaled 4
  const Eigen::VectorXf offset = voice_offset(heard, 1, some_scaler(), listening());
  EXPECT_TRUE(offset.isApprox(Eigen::VectorXf::Constant(kMfccRows, 4.0f * 2 / 6)));
  EXPECT_TRUE(voice_offset(heard, 0.5, some_scaler(), listening()).isApprox(offset / 2));
  EXPECT_EQ(voice_offset(heard, 0, some_scaler(), listening()).size(), 0);
  EXPECT_EQ(voice_offset(heard, 1, some_scaler(), {}).size(), 0);
  EXPECT_EQ(voice_offset({}, 1, some_scaler(), listening()).size(), 0);
}

TEST(VoiceOffset, OfOtherFeaturesIsRefused) {
  HeardFeatures heard;
  heard.add(Eigen::MatrixXf::Ones(3, 1));
  EXPECT_ERROR(voice_offset(heard, 1, some_scaler(), listening()),
               HasSubstr("expected 20 rows, found 3"));
  EXPECT_ERROR(heard.add(Eigen::MatrixXf::Ones(4, 1)),
               HasSubstr("expected 3 of features, found 4"));
}

HeardAnswers answers(const std::vector<Eigen::Vector2d>& probabilities) {
  HeardAnswers heard;
  for (const Eigen::Vector2d& p : probabilities) heard.add(p, {});
  return heard;
}

TEST(Diversity, IsTheInformationOfTheClipAboutTheEmotion) {
  const Eigen::Vector2d happy(1, 0), sad(0, 1), unsure(0.5, 0.5);
  EXPECT_EQ(diversity({}), 0);
  EXPECT_EQ(diversity(answers({happy})), 0);
  EXPECT_EQ(diversity(answers({happy, happy, happy})), 0);
  EXPECT_NEAR(diversity(answers({unsure, unsure})), 0, 1e-12);
  EXPECT_NEAR(diversity(answers({happy, sad})), 2 * std::log(2), 1e-12);
  EXPECT_NEAR(diversity(answers({happy, sad, happy, sad})), 4.0 / 3 * std::log(2), 1e-12);
}

double trusted(double low, double high, Hearing hearing = Hearing::kByItself) {
  return trust(answers({Eigen::Vector2d(1, 0), Eigen::Vector2d(0, 1)}), {true, 4, low, high},
               hearing);
}

TEST(Trust, RisesBetweenTheTwoDiversities) {
  const double found = 2 * std::log(2);
  EXPECT_EQ(trusted(0, found / 2), 1);
  EXPECT_NEAR(trusted(found - 0.1, found + 0.3), 0.25, 1e-12);
  EXPECT_EQ(trusted(found + 0.1, found + 0.3), 0);
}

TEST(Trust, OfEnrolledClipsIsHigherButNotOfOneEmotion) {
  const double found = 2 * std::log(2);
  EXPECT_NEAR(trusted(found - 0.1, found + 0.3, Hearing::kEnrolled), 0.375, 1e-12);
  const Eigen::Vector2d happy(0.9, 0.1);
  EXPECT_NEAR(trust(answers({happy, happy}), {true, 4, 0, 0.1}, Hearing::kEnrolled), 0, 1e-12);
}

TEST(PoolGenders, IsTheGeometricMeanOverTheClipAndAllHeard) {
  const Eigen::Vector2d stranger(0.5, 0.5), sure(0.9, 0.1), unsure(0.6, 0.4);
  HeardAnswers heard;
  heard.add(stranger, sure);
  heard.add(stranger, unsure);
  const double male = std::cbrt(0.9 * 0.6 * 0.5), female = std::cbrt(0.1 * 0.4 * 0.5);
  EXPECT_NEAR(pool_genders(stranger, heard)[0], male / (male + female), 1e-12);
  EXPECT_EQ(pool_genders(stranger, {}), stranger);
  EXPECT_EQ(pool_genders({}, heard).size(), 0);
  EXPECT_TRUE(pool_genders(Eigen::Vector2d(1, 0), heard).allFinite());
}

TEST(MixAnswers, PoolsLogProbabilities) {
  const Eigen::Vector2d stranger(0.8, 0.2), adapted(0.5, 0.5);
  EXPECT_TRUE(mix_answers(stranger, adapted, 0).isApprox(adapted, 1e-12));
  EXPECT_TRUE(mix_answers(stranger, adapted, 1).isApprox(stranger, 1e-12));
  EXPECT_NEAR(mix_answers(stranger, adapted, 0.5)[0], 2.0 / 3, 1e-12);
}

TEST(Listening, OfAMemberForGenderOnlyDoesNotCount) {
  const Model alone = some_model({true, 4, 0, 1e-9});
  Model both = alone;
  both.members.push_back(alone.members[0]);
  both.members[1].gender_only = true;
  both.members[1].listening.blind_share = 1;
  const auto clips = clips_of(alone, {random_clip(1), random_clip(2), random_clip(3)});
  const auto answer = [&](const Model& model, const HeardClips& heard) {
    return predict(model, clips, heard, 1, Hearing::kByItself)[0].emotions;
  };
  const HeardClips heard = {{1, 2}, {}, {}};
  EXPECT_FALSE(answer(alone, heard).isApprox(answer(alone, {}), 1e-3));
  EXPECT_TRUE(answer(both, heard).isApprox(answer(alone, heard), 1e-5));
  both.members[0].listening.enabled = false;
  EXPECT_FALSE(both.listens());
}

TEST(Listening, OptionsOutOfRangeAreRefused) {
  EXPECT_ERROR((ListeningOptions{true, -1}).validate(), HasSubstr("option 'strength'"));
  EXPECT_ERROR((ListeningOptions{true, 4, 0.1, 0.3, 1.1}).validate(),
               HasSubstr("option 'blind_share'"));
  EXPECT_ERROR((ListeningOptions{true, 4, 0.3, 0.3}).validate(),
               HasSubstr("diversity_low < diversity_high"));
}

TEST(Listening, AnswersToAVoiceThatIsKnownAreSurer) {
  ListeningOptions options = {true, 4, 0, 1e-9, 0};
  const std::vector<Eigen::MatrixXf> clips = {random_clip(1), random_clip(2), random_clip(3)};
  const HeardClips heard = {{1, 2}, {}, {}};
  const auto answer = [&] {
    const Model model = some_model(options);
    return predict(model, clips_of(model, clips), heard, 1);
  };
  const auto plain = answer();
  options.heard_temperature = 0.5;
  const auto surer = answer();
  // Two clips of strength 4: a third is believed, so the temperature is 1 - 0.5 / 3.
  Eigen::VectorXd expected = plain[0].emotions.array().pow(1 / (1 - 0.5 / 3));
  expected /= expected.sum();
  EXPECT_TRUE(surer[0].emotions.isApprox(expected, 1e-5));
  EXPECT_EQ(surer[0].genders, plain[0].genders);
  EXPECT_EQ(surer[1].emotions, plain[1].emotions);
  EXPECT_EQ(temperature_of_heard(0, 1, options), 1);
  EXPECT_EQ(temperature_of_heard(2, 0, options), 1);
  EXPECT_DOUBLE_EQ(temperature_of_heard(2, 1, options), 1 - 0.5 / 3);
}

TEST(Listening, WhatAVoiceIsAlwaysToldIsDividedOut) {
  HeardAnswers heard;
  const Eigen::VectorXd none;
  heard.add(Eigen::Vector3d(0.8, 0.15, 0.05), none);
  heard.add(Eigen::Vector3d(0.6, 0.35, 0.05), none);
  // The mean is 0.7, 0.25 and 0.05; the last counts as half of a third.
  const Eigen::Vector3d answer(0.6, 0.3, 0.1);
  Eigen::Vector3d expected = answer.array() / Eigen::Array3d(0.7, 0.25, 0.5 / 3).sqrt();
  expected /= expected.sum();
  EXPECT_TRUE(correct_prior(answer, heard, 0.5).isApprox(expected, 1e-12));
  EXPECT_TRUE(correct_prior(answer, heard, 0).isApprox(answer, 1e-12));

  ListeningOptions options{true, 4, 0, 1e-9, 0};
  EXPECT_EQ(prior_power(4, 1, options), 0);
  options.prior_correction = 0.5;
  EXPECT_DOUBLE_EQ(prior_power(4, 0.5, options), 0.5 * 0.5 * 0.5);
  EXPECT_EQ(prior_power(4, 0, options), 0);
  EXPECT_EQ(prior_power(0, 1, options), 0);
}

TEST(Listening, TheAnswerToAKnownVoiceIsCorrectedAsFarAsItIsBelieved) {
  ListeningOptions options{true, 4, 0, 1e-9, 0};
  const std::vector<Eigen::MatrixXf> clips = {random_clip(1), random_clip(2), random_clip(3)};
  const auto answers = [&](const HeardClips& heard) {
    Model model = some_model(options);
    model.members[0].network.parameters() *= 0.2f;  // answers must not saturate
    return predict(model, clips_of(model, clips), heard, 1);
  };
  const auto strangers = answers({});
  const auto plain = answers({{1, 2}, {}, {2}});
  options.prior_correction = 0.9;
  const auto corrected = answers({{1, 2}, {}, {2}});
  HeardAnswers heard;
  for (const int i : {1, 2}) heard.add(strangers[i].emotions, strangers[i].genders);
  EXPECT_TRUE(
      corrected[0].emotions.isApprox(correct_prior(plain[0].emotions, heard, 0.9 * 2 / 6), 1e-5));
  EXPECT_FALSE(corrected[0].emotions.isApprox(plain[0].emotions, 1e-3));
  EXPECT_EQ(corrected[0].genders, plain[0].genders);
  EXPECT_EQ(corrected[1].emotions, plain[1].emotions);
  EXPECT_EQ(corrected[2].emotions, plain[2].emotions) << "one clip heard is not trusted";
}

TEST(Listening, TrustDoesNotDependOnCalibration) {
  const auto clips = std::vector<Eigen::MatrixXf>{random_clip(1), random_clip(2), random_clip(3)};
  Model model = some_model({true, 4, 0, 0.2, 0});
  const auto answer = [&] { return predict(model, clips_of(model, clips), {{1, 2}, {}, {}}, 1); };
  const auto plain = answer();
  ASSERT_FALSE(
      plain[0].emotions.isApprox(predict(model, clips_of(model, clips), {}, 1)[0].emotions, 1e-3));
  model.members[0].temperature = 2;
  EXPECT_TRUE(uncalibrated(model, answer()[0].emotions).isApprox(plain[0].emotions, 1e-4));
}

TEST(Listening, PredictorHearsAsTheEvaluatorDoes) {
  Model model = some_model({true, 4, 0, 1e-9});   // trusts what differs at all
  model.members[0].network.parameters() *= 0.1f;  // tones lie far out: answers must not saturate
  Predictor predictor(model);
  std::vector<Eigen::MatrixXf> clips;
  for (const double hz : {200, 300, 2000})
    clips.push_back(predictor.features(tone(hz)).begin()->second);
  const auto expected =
      predict(model, clips_of(model, clips), {{1, 2}, {}, {}}, 1, Hearing::kByItself);
  const auto enrolled = predict(model, clips_of(model, clips), {{1, 2}, {}, {}}, 1);
  const auto deaf = predict(model, clips_of(model, clips), {}, 1);
  EXPECT_TRUE(predictor.predict(tone(200)).emotions.isApprox(deaf[0].emotions, 1e-5));
  for (const double hz : {300, 2000}) predictor.hear(tone(hz));
  EXPECT_EQ(predictor.voice().clips(), 2);
  EXPECT_EQ(predictor.voice().duration_s(), 2);
  const ClipPrediction found = predictor.predict(tone(200));
  EXPECT_TRUE(found.emotions.isApprox(expected[0].emotions, 1e-5));
  EXPECT_TRUE(found.genders.isApprox(expected[0].genders, 1e-5));
  EXPECT_FALSE(expected[0].emotions.isApprox(deaf[0].emotions, 1e-3));
  EXPECT_EQ(expected[1].emotions, deaf[1].emotions);
  EXPECT_TRUE(mix_answers(deaf[0].emotions, enrolled[0].emotions, 0.3)
                  .isApprox(expected[0].emotions, 1e-5));
  Voice voice = predictor.voice();
  voice.set_enrolled();
  predictor.set_voice(voice);
  EXPECT_TRUE(predictor.predict(tone(200)).emotions.isApprox(enrolled[0].emotions, 1e-5));
}

TEST(Listening, TellsTheGenderFromWhatStrangersAreTold) {
  const Model model = some_model({true, 4, 0, 1e-9});
  const auto clips = clips_of(model, {random_clip(1), random_clip(2), random_clip(3)});
  const auto deaf = predict(model, clips, {}, 1);
  HeardAnswers heard;
  for (const std::size_t i : {1u, 2u}) heard.add(deaf[i].emotions, deaf[i].genders);
  EXPECT_EQ(predict(model, clips, {{1, 2}, {}, {}}, 1)[0].genders,
            pool_genders(deaf[0].genders, heard));
}

TEST(Listening, VoicesOfOtherModelsAreRefused) {
  Predictor hearing(some_model(listening()));
  hearing.hear(tone(200));
  Model other = some_model(listening());
  other.genders = {};
  other.emotions = {"happy", "sad", "calm", "angry"};
  EXPECT_ERROR(Predictor(other).set_voice(hearing.voice()), HasSubstr("another model"));
  other = some_model(listening());
  other.members[0].set = parse_feature_set("chroma", Pooling::kMean);
  EXPECT_ERROR(Predictor(other).set_voice(hearing.voice()), HasSubstr("another model"));
  EXPECT_NO_THROW(Predictor(other).set_voice({}));
}

TEST(Listening, AVoiceNeedsNoFeaturesOfMembersThatDoNotListen) {
  const Model before = some_model(listening());
  Predictor hearing(before);
  hearing.hear(tone(200));
  Model with_gender = before;
  const FeatureSet chroma = parse_feature_set("chroma", Pooling::kMean);
  nn::Network network({}, input_shape(12, false), 4);
  with_gender.members.push_back({chroma, {}, network, 1, 1, {}, true});
  Predictor predictor(with_gender);
  EXPECT_NO_THROW(predictor.set_voice(hearing.voice()));
  EXPECT_EQ(predictor.voice().clips(), 1);
  predictor.hear(tone(200));
  EXPECT_ERROR(hearing.set_voice(predictor.voice()), HasSubstr("another model"))
      << "what it adds would be missing in sets that it does not know";
}

TEST(Listening, IsKeptInTheModelFile) {
  const TempFolder folder;
  const Model model = some_model(listening());
  write_model(model, folder.path() / "m.json");
  const Model copy = read_model(folder.path() / "m.json");
  EXPECT_TRUE(copy.listens());
  const auto clips = clips_of(model, {random_clip(1), random_clip(2)});
  EXPECT_EQ(predict(copy, clips, {{1}, {0}}, 1)[0].emotions,
            predict(model, clips, {{1}, {0}}, 1)[0].emotions);
}

TEST(Listening, ClipsOfOneEmotionChangeNothing) {
  const Model model = some_model(listening());
  const auto clips = clips_of(model, {random_clip(1), random_clip(2), random_clip(2)});
  EXPECT_EQ(predict(model, clips, {{1, 2}, {}, {}}, 1)[0].emotions,
            predict(model, clips, {}, 1)[0].emotions);
}

TEST(Model, ThatDoesNotListenIgnoresWhatItHears) {
  const Model model = some_model({});
  EXPECT_FALSE(model.listens());
  const auto clips = clips_of(model, {random_clip(1), random_clip(2)});
  EXPECT_EQ(predict(model, clips, {{1}, {0}}, 1)[0].emotions,
            predict(model, clips, {}, 1)[0].emotions);
}

TEST(Model, WantsToKnowWhatEveryClipHeard) {
  const Model model = some_model(listening());
  EXPECT_ERROR(predict(model, clips_of(model, {random_clip(1), random_clip(2)}), {{1}}, 1),
               HasSubstr("heard before each of 2 clips, found 1"));
}

TEST(Model, AnswersThatAreNoNumbersAreRefused) {
  Model model = some_model({});
  model.members[0].network.parameters().setConstant(3e38f);
  EXPECT_ERROR(predict(model, clips_of(model, {random_clip(1)}), {}, 1), HasSubstr("is no number"));
}

TEST(KeepClasses, SharesTheRestAmongThem) {
  Model model;
  model.emotions = {"happy", "sad", "calm"};
  ClipPrediction prediction;
  prediction.emotions = Eigen::Vector3d(0.2, 0.3, 0.5);
  const Eigen::Vector3d expected(0.4, 0.6, 0);
  EXPECT_TRUE(
      keep_classes(model, prediction, {"sad", "happy", "bored"}).emotions.isApprox(expected));
  EXPECT_ERROR(keep_classes(model, prediction, {"bored"}), HasSubstr("found bored"));
}

TEST(Voice, SurvivesJson) {
  Voice voice;
  voice.add({{"abc", random_clip(1, 7)}, {"def", random_clip(2)}}, Eigen::Vector2d(0.3, 0.7),
            Eigen::Vector2d(0.1, 0.9), 1.5);
  voice.add({{"abc", random_clip(3, 9)}, {"def", random_clip(4)}}, Eigen::Vector2d(0.9, 0.1),
            Eigen::Vector2d(0.2, 0.8), 2);
  voice.set_enrolled();
  const Voice copy = Voice::from_json(voice.to_json("feed"), "feed");
  EXPECT_EQ(copy.clips(), 2);
  EXPECT_EQ(copy.duration_s(), 3.5);
  EXPECT_EQ(copy.hearing(), Hearing::kEnrolled);
  EXPECT_EQ(copy.in("abc").sum, voice.in("abc").sum);
  EXPECT_EQ(copy.in("abc").frames, 16);
  EXPECT_EQ(copy.answers().genders, voice.answers().genders);
  EXPECT_EQ(diversity(copy.answers()), diversity(voice.answers()));
  EXPECT_EQ(copy.to_json("feed"), voice.to_json("feed"));
  EXPECT_ERROR(Voice::from_json(voice.to_json("feed"), "beef"),
               HasSubstr("found one that another model did"));
  EXPECT_EQ(copy.in("of no set").sum.size(), 0);
}

TEST(Voice, OtherFilesAreRefused) {
  const auto read = [](const std::string& answers, const std::string& heard,
                       const std::string& duration = "2.5") {
    return Voice::from_json(
        R"({"format": "ser-voice", "model": "feed", "enrolled": false, "duration_s": )" + duration +
            R"(, "answers": )" + answers + R"(, "features": {"a": )" + heard + "}}",
        "feed");
  };
  const std::string answers = R"({"clips": 1, "entropy": 0.5, "sum": [0.5, 0.5], "genders": [-1]})";
  const std::string heard = R"({"clips": 1, "frames": 1, "sum": [1]})";
  EXPECT_NO_THROW(read(answers, heard));
  EXPECT_ERROR(Voice::from_json("[1]", "feed"), HasSubstr("expected a voice file"));
  EXPECT_ERROR(Voice::from_json(R"({"format": "ser-voice"})", "feed"),
               HasSubstr("expected a voice that says which model heard it, found one of before"));
  EXPECT_ERROR(read(answers, "{}"), HasSubstr("expected 'enrolled', 'duration_s', 'answers'"));
  EXPECT_ERROR(read(answers, heard, "-1"), HasSubstr("'duration_s'"));
  EXPECT_ERROR(read(answers, R"({"clips": 0, "frames": 1, "sum": [1]})"), HasSubstr("'clips'"));
  EXPECT_ERROR(read(answers, R"({"clips": 1, "frames": 1, "sum": []})"), HasSubstr("'sum'"));
  EXPECT_ERROR(read(R"({"clips": 1, "entropy": 0, "sum": [-1], "genders": []})", heard),
               HasSubstr("expected probabilities"));
  EXPECT_ERROR(read(R"({"clips": 1, "entropy": 0, "sum": [1], "genders": 7})", heard),
               HasSubstr("'genders'"));
}

}  // namespace
}  // namespace ser
