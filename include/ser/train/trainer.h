#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/model/model.h"
#include "ser/train/recipe.h"

namespace ser {

/// What an observer learns after an epoch. Losses are means a clip.
struct EpochReport {
  int member = 0;
  int epoch = 0;  ///< from 1
  int epochs = 0;
  std::size_t clips = 0;  ///< trained on in this epoch
  double learning_rate = 0;
  double loss = 0;
  std::optional<double> validation_loss;
  std::optional<double> validation_accuracy;
};

/// Called by one thread at a time.
using EpochObserver = std::function<void(const EpochReport&)>;

/// What to train on. Indices are into table.clips.
struct TrainingData {
  const FeatureTable& table;
  std::vector<int> train;
  std::vector<int> validation;  ///< clips of other speakers; empty: no early stopping
};

/// Stream of the random numbers of a run on the whole corpus; fold k uses stream k.
constexpr std::uint64_t kWholeCorpus = 0xffffffff;

/// The classes a model of these clips will know: emotions in their usual order, then others by
/// name; genders only if every clip has one.
std::vector<std::string> emotion_labels(const FeatureTable& table, const std::vector<int>& clips);
std::vector<std::string> gender_labels(const FeatureTable& table, const std::vector<int>& clips);

/// Trains a model. The result depends on data, recipe, seed and stream alone, not on `threads`.
/// Throws Error if a training clip has no emotion, the recipe does not fit the features, or the
/// loss stops being a number (with epoch, batch and learning rate).
Model train(const TrainingData& data, const Recipe& recipe, std::uint64_t seed,
            std::uint64_t stream, int threads, const EpochObserver& observer = {});

}  // namespace ser
