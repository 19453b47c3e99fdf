#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/internal/batch.h"
#include "ser/features/extractor.h"
#include "ser/model/ensemble.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::HasSubstr;

Model small_model(bool enrolled) {
  const FeatureSet set = parse_feature_set("mfcc", Pooling::kMean);
  nn::Network network({}, input_shape(20, false), 2);
  network.initialize(Rng(1, 0));
  Model model;
  model.emotions = {"happy", "sad"};
  model.members.push_back({set, {}, network, 1, 1, enrolled, {}});
  return model;
}

Waveform tone(double hz) {
  Waveform wave{Eigen::VectorXf(16000), 16000};
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i)
    wave.samples[i] = static_cast<float>(0.3 * std::sin(2 * M_PI * hz * double(i) / 16000));
  return wave;
}

TEST(Enroll, SubtractsTheMeanOfTheSpeakersClips) {
  const Model model = small_model(true);
  Predictor predictor(model);
  predictor.enroll({tone(200), tone(300)});
  const Extractor extractor(model.members[0].set);
  const Eigen::MatrixXf a = extractor.extract(tone(200)), b = extractor.extract(tone(300));
  const auto expected =
      predict(model, {{fingerprint(model.members[0].set), {(a - b) / 2}, true}}, 1)[0];
  EXPECT_TRUE(predictor.predict(tone(200)).emotions.isApprox(expected.emotions, 1e-4));
}

TEST(Enroll, IsAskedForByModelsThatNeedItAlone) {
  EXPECT_ERROR(Predictor(small_model(true)).predict(tone(200)),
               HasSubstr("compares a recording with others of the speaker"));
  Predictor plain(small_model(false));
  EXPECT_ERROR(plain.enroll({tone(200)}), HasSubstr("does not compare"));
  Predictor predictor(small_model(true));
  EXPECT_ERROR(predictor.enroll({}), HasSubstr("expected recordings of the speaker, found none"));
  const Model model = small_model(true);
  const std::string set = fingerprint(model.members[0].set);
  EXPECT_ERROR(predict(model, {{set, {Eigen::MatrixXf::Zero(20, 1)}, false}}, 1),
               HasSubstr("wants features relative to the speaker's"));
  EXPECT_ERROR(predict(small_model(false), {{set, {Eigen::MatrixXf::Zero(20, 1)}, true}}, 1),
               HasSubstr("does not want features relative"));
  EXPECT_ERROR(combine({small_model(true), small_model(false)}, {"a", "b"}),
               HasSubstr("expected all models or none"));
}

TEST(Enroll, IsKeptInTheModelFile) {
  const TempFolder folder;
  for (const bool enrolled : {false, true}) {
    write_model(small_model(enrolled), folder.path() / "m.json");
    EXPECT_EQ(read_model(folder.path() / "m.json").enrolled(), enrolled);
  }
}

}  // namespace
}  // namespace ser
