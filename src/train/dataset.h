#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "ser/core/rng.h"
#include "ser/corpus/feature_table.h"
#include "ser/model/scaler.h"
#include "ser/nn/loss.h"
#include "ser/nn/tensor.h"
#include "ser/train/recipe.h"

namespace ser {

/// The classes of every task a network is trained on, and their rows among its logits.
struct Tasks {
  std::vector<std::string> emotions;
  std::vector<std::string> genders;      ///< empty: no gender head
  std::vector<std::string> intensities;  ///< empty: no helper task
  std::vector<nn::HeadRange> heads;
  std::vector<double> weights;  ///< one a head

  nn::Index outputs() const { return heads.back().begin + heads.back().size; }
  /// Rows that the finished model keeps: emotions and genders.
  nn::Index kept_outputs() const;
};

Tasks make_tasks(std::vector<std::string> emotions, std::vector<std::string> genders,
                 const FeatureTable& table, const std::vector<int>& clips,
                 const TaskWeights& weights);

/// Scaled clips with their targets.
struct Dataset {
  std::vector<Eigen::MatrixXf> clips;      ///< [rows x frames]
  nn::Matrix targets;                      ///< [outputs x clips], one-hot in every head
  nn::Matrix weights;                      ///< [heads x clips], zero where a label is missing
  std::vector<std::vector<int>> versions;  ///< clips and their augmented copies, by index
  nn::Index spectral_rows = 0;             ///< leading rows that are bands of a spectrum

  std::size_t size() const { return clips.size(); }
};

/// Throws Error if a clip has no emotion or one that is not among the tasks'.
Dataset make_dataset(const FeatureTable& table, const std::vector<int>& clips, const Scaler& scaler,
                     const Tasks& tasks, const TrainingOptions& options);

/// A shard as the network and the loss take it; lives in an arena.
struct Shard {
  nn::Tensor input;
  nn::Tensor targets;  ///< [outputs x clips]
  nn::Tensor weights;  ///< [heads x clips]
};

/// Puts the clips `ids` together, changed and mixed as the recipe says, drawn from `rng`.
Shard make_training_shard(const Dataset& data, std::span<const int> ids, const nn::Shape& shape,
                          const Tasks& tasks, const TrainingOptions& options, const Rng& rng,
                          nn::Arena& arena);

}  // namespace ser
