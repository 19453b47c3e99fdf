#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/internal/batch.h"
#include "ser/model/model.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

constexpr int kRows = 20, kUnits = 6;

Model some_model(int members) {
  Model model;
  model.emotions = {"happy", "sad", "angry"};
  for (int m = 0; m < members; ++m) {
    FeatureSet set = parse_feature_set("mfcc");
    set.pool = Pooling::kMean;
    nn::NetworkOptions options;
    from_json(R"({"layers": [{"type": "dense", "units": 6, "activation": "relu"}]})", options);
    nn::Network network(options, input_shape(kRows, false), 3);
    network.initialize(Rng(static_cast<std::uint64_t>(m), 0));
    model.members.push_back({set, Scaler(), network, 1, 1, {}});
  }
  return model;
}

std::vector<ClipFeatures> some_clips(const Model& model, int count) {
  Rng rng(5, 0);
  std::vector<Eigen::MatrixXf> clips;
  for (int i = 0; i < count; ++i) {
    clips.emplace_back(kRows, 1);
    for (float& x : clips.back().reshaped()) x = static_cast<float>(rng.normal());
  }
  return {{fingerprint(model.members[0].set), clips}};
}

TEST(Embed, TheOutputLayerOfItGivesThePredictions) {
  const Model model = some_model(1);
  const auto clips = some_clips(model, 70);  // more than a batch
  const Eigen::MatrixXf hidden = embed(model, clips, 1);
  ASSERT_EQ(hidden.rows(), kUnits);
  const nn::Network& network = model.members[0].network;
  const auto named = network.named_parameters();
  const nn::ConstAlignedMap weight(network.parameters().data() + named[2].offset, 3, kUnits);
  const nn::ConstAlignedMap bias(network.parameters().data() + named[3].offset, 3, 1);
  ASSERT_EQ(named[2].name, "output.weight");
  const auto predictions = predict(model, clips, {}, 1);
  for (Eigen::Index i = 0; i < hidden.cols(); ++i) {
    Eigen::VectorXd p = (weight * hidden.col(i) + bias).cast<double>().array().exp();
    p /= p.sum();
    EXPECT_TRUE(p.isApprox(predictions[static_cast<std::size_t>(i)].emotions, 1e-5)) << i;
  }
}

TEST(Embed, MembersStandOneBelowTheOther) {
  const Model both = some_model(2);
  Model second = both;
  second.members.erase(second.members.begin());
  const Eigen::MatrixXf hidden = embed(both, some_clips(both, 3), 1);
  EXPECT_EQ(hidden.rows(), 2 * kUnits);
  EXPECT_EQ(hidden.bottomRows(kUnits), embed(second, some_clips(second, 3), 1));
}

TEST(Embed, OtherFeaturesAreRefused) {
  EXPECT_ERROR(embed(some_model(1), {{"0123", {}}}, 1), HasSubstr("found 0123"));
}

}  // namespace
}  // namespace ser
