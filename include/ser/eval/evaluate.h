#pragma once

#include <functional>

#include "ser/corpus/feature_table.h"
#include "ser/corpus/split.h"
#include "ser/eval/result_file.h"
#include "ser/model/model.h"
#include "ser/train/trainer.h"

namespace ser {

/// The clips of the first table at `indices`, with what the model says of them. tables: one for
/// each feature set that the model reads; clips are told apart by corpus and path.
/// Throws Error for a clip without an emotion or with one the model does not know, and for one that
/// another table lacks.
std::vector<Prediction> evaluate(const Model& model, const std::vector<const FeatureTable*>& tables,
                                 const std::vector<int>& indices, int threads);

/// Clips as the last hidden layer of one model has them.
struct HiddenLayer {
  int fold = 0;  ///< that the model was not trained on
  std::vector<std::string> files;
  Eigen::MatrixXf units;  ///< [units x clips]
};

/// The clips of the first table at `indices` in the model's last hidden layer; tables as for
/// `evaluate`.
HiddenLayer hidden_layer(const Model& model, const std::vector<const FeatureTable*>& tables,
                         const std::vector<int>& indices, int fold, int threads);

/// Called from several threads, with the fold's number.
using FoldObserver = std::function<void(int fold, const EpochReport&)>;
/// Called from several threads, once a fold, with its trained model and its test clips.
using ModelObserver = std::function<void(int fold, const Model&, const std::vector<int>& test)>;

/// Trains on the other folds and scores each fold, folds in parallel. Fold k draws from
/// Rng(seed, k), so folds run one by one give the same figures.
ResultFile cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                          const Recipe& recipe, std::uint64_t seed, int threads,
                          const FoldObserver& observer = {},
                          const ModelObserver& model_observer = {});

}  // namespace ser
