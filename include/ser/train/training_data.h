#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/nn/network.h"
#include "ser/train/recipe.h"

namespace ser {

/// What to train on. Indices are into table.clips.
struct TrainingData {
  const FeatureTable& table;
  std::vector<int> train;
  std::vector<int> validation;  ///< clips of other speakers; empty: no early stopping
};

/// Stream of the random numbers of a run on the whole corpus; fold k uses stream k.
constexpr std::uint64_t kWholeCorpus = 0xffffffff;

/// The clips to train on, some of them held out as validation speakers where the recipe stops
/// early: see `hold_out_validation`.
TrainingData training_data(const FeatureTable& table, const std::vector<int>& clips,
                           const Recipe& recipe, std::uint64_t seed, std::uint64_t stream);

/// The genders that a model of these clips will know: only if they have a weight and both occur in
/// corpora whose clips all have one. Its emotions are `emotion_labels` of the clips.
std::vector<std::string> gender_labels(const FeatureTable& table, const std::vector<int>& clips,
                                       const TaskWeights& weights);

/// The network that the recipe makes for these features, untrained, with a logit for each of
/// `outputs` classes.
nn::Network make_network(const Recipe& recipe, const FeatureTable& table, int outputs);

}  // namespace ser
