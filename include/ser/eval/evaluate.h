#pragma once

#include <functional>

#include "ser/corpus/feature_table.h"
#include "ser/corpus/split.h"
#include "ser/eval/result_file.h"
#include "ser/model/model.h"
#include "ser/train/trainer.h"

namespace ser {

/// The clips of a table at `indices`, with what the model says of them.
/// Throws Error for a clip without an emotion or with one the model does not know.
std::vector<Prediction> evaluate(const Model& model, const FeatureTable& table,
                                 const std::vector<int>& indices, int threads);

/// What a fold is trained with: its training clips, some of them held out as validation speakers
/// where the recipe stops early.
TrainingData training_data(const FeatureTable& table, const std::vector<int>& clips,
                           const Recipe& recipe, std::uint64_t seed, std::uint64_t stream);

/// Called from several threads, with the fold's number.
using FoldObserver = std::function<void(int fold, const EpochReport&)>;

/// Trains on the other folds and scores each fold, folds in parallel. Fold k draws from
/// Rng(seed, k), so folds run one by one give the same figures.
ResultFile cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                          const Recipe& recipe, std::uint64_t seed, int threads,
                          const FoldObserver& observer = {});

}  // namespace ser
