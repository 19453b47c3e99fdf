#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ser/corpus/feature_table.h"
#include "ser/corpus/split.h"
#include "ser/eval/learning_log.h"
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

/// The model's result on the test side of a fold, whose clips are those of the first table.
/// split, number: of the fold, where it is one of several. Throws Error as `evaluate` does.
ResultFile score_model(const Model& model, const std::vector<const FeatureTable*>& tables,
                       const Fold& fold, int threads, const std::string& split = "",
                       int number = 0);

/// How many of the speakers (names as of `speaker_name`) the model was trained on: scores on their
/// clips mean little. Names without a corpus, of older models, mean those of any.
int count_known_speakers(const Model& model, const std::vector<std::string>& speakers);

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
/// What a cross-validation gives.
struct CrossValidation {
  ResultFile result;
  std::vector<LearningCurve> curves;
  std::vector<HiddenLayer> hidden;  ///< one a fold, of its test clips
};

/// Trains on the other folds and scores each fold, folds in parallel. Fold k draws from
/// Rng(seed, k), so folds run one by one give the same figures.
/// Throws Error if the folds do not all train on the same classes.
CrossValidation cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                               const Recipe& recipe, std::uint64_t seed, int threads,
                               const FoldObserver& observer = {});

}  // namespace ser
