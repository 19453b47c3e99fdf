#pragma once

#include <Eigen/Core>
#include <vector>

#include "ser/core/rng.h"
#include "ser/model/listening.h"
#include "train/dataset.h"

namespace ser {

/// The voices of a dataset, to hear in training: a clip's are the other recordings of its speaker
/// in the same version. Clips without a speaker are heard alone.
class Voices {
 public:
  /// The dataset must outlive it.
  Voices(const Dataset& data, const ListeningRecipe& options);

  /// Some clips of clip i's voice, none to all as the recipe has them drawn.
  HeardFeatures draw(int clip, Rng rng) const;

 private:
  void add_up_large_groups();
  HeardFeatures sum(int clip) const;
  /// Of all clips of the group but one, the total being known.
  HeardFeatures total_without(std::size_t group, int clip) const;

  const Dataset& data_;
  std::vector<std::size_t> draws_;
  std::vector<std::vector<int>> groups_;  ///< clips of one voice in one version
  std::vector<int> group_of_;             ///< one a clip; -1: of nobody known
  std::vector<HeardFeatures> totals_;     ///< of the groups; empty where they are small
  Eigen::MatrixXf sums_;                  ///< [rows x clips] over their frames; empty where pooled
};

}  // namespace ser
