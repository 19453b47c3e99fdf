#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/internal/batch.h"
#include "model/mfcc_rows.h"
#include "ser/model/model.h"

namespace ser {
namespace {

/// Reads frames, listens, and has two members.
Model model_of_frames() {
  Model model;
  model.emotions = {"happy", "sad", "angry"};
  model.genders = {"male", "female"};
  nn::NetworkOptions options;
  from_json(R"({"layers": [{"type": "conv1d", "channels": 4}, {"type": "attention_pool"}]})",
            options);
  for (std::uint64_t m = 0; m < 2; ++m) {
    nn::Network network(options, input_shape(kMfccRows, true), 5);
    network.initialize(Rng(m, 0));
    model.members.push_back({parse_feature_set("mfcc"), Scaler(), network, 1, 1, {}});
  }
  return model;
}

Eigen::MatrixXf noise(Eigen::Index frames) {
  Rng rng(3, 0);
  Eigen::MatrixXf values(kMfccRows, frames);
  for (float& x : values.reshaped()) x = static_cast<float>(rng.normal());
  return values;
}

std::vector<ClipFeatures> features_of(const Model& model, std::vector<Eigen::MatrixXf> clips) {
  return {{fingerprint(model.members[0].set), std::move(clips)}};
}

TEST(LongClip, OfHalfAMinuteIsAnsweredAloneAsInABatch) {
  const Model model = model_of_frames();
  std::vector<Eigen::MatrixXf> clips;
  for (const Eigen::Index frames : {3000, 200, 2900, 3100, 100}) clips.push_back(noise(frames));
  const auto together = predict(model, features_of(model, clips), {}, 1);
  for (std::size_t i = 0; i < clips.size(); ++i)
    EXPECT_LT(
        (together[i].emotions - predict(model, features_of(model, {clips[i]}), {}, 1)[0].emotions)
            .cwiseAbs()
            .maxCoeff(),
        1e-5);
}

TEST(LongClip, IsAnsweredByTheMeanLogitsOfItsPieces) {
  Model model = model_of_frames();
  model.members.pop_back();
  const Eigen::MatrixXf whole = noise(6001);
  std::vector<Eigen::MatrixXf> pieces;
  for (Eigen::Index i = 0; i < 20; ++i)
    pieces.push_back(whole.middleCols(6001 * i / 20, 6001 * (i + 1) / 20 - 6001 * i / 20));
  const ClipPrediction found = predict(model, features_of(model, {whole}), {}, 1)[0];
  Eigen::VectorXd logits = Eigen::VectorXd::Zero(3);
  for (const ClipPrediction& piece : predict(model, features_of(model, pieces), {}, 1))
    logits += piece.emotions.array().log().matrix();
  const Eigen::VectorXd expected = (logits / 20).array().exp();
  EXPECT_TRUE(found.emotions.isApprox(expected / expected.sum(), 1e-5));
}

TEST(LongClip, ChangesNothingForTheClipsBesideIt) {
  const Model model = model_of_frames();
  const Eigen::MatrixXf clip = noise(6000), other = noise(70), longer = noise(12345);
  const auto alone = predict(model, features_of(model, {clip, other}), {}, 1);
  const auto among = predict(model, features_of(model, {clip, longer, other}), {}, 2);
  EXPECT_TRUE(among[0].emotions.isApprox(alone[0].emotions, 1e-5));
  EXPECT_TRUE(among[2].genders.isApprox(alone[1].genders, 1e-5));
}

}  // namespace
}  // namespace ser
