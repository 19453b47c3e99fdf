#pragma once

#include <Eigen/Core>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ser/corpus/feature_table.h"
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
  /// By corpus, [outputs]: one for the classes that its training clips have, zero for the others.
  std::map<std::string, nn::Vector> classes;

  nn::Index outputs() const { return heads.back().begin + heads.back().size; }
  /// Rows that the finished model keeps: emotions and genders.
  nn::Index kept_outputs() const;
};

/// Throws Error if the recipe is made for clip vectors and these are frames, or the reverse.
void check_features(const FeatureSet& found, const Recipe& recipe);

/// The tasks that these clips allow. Throws Error for fewer than two emotions.
Tasks make_tasks(const FeatureTable& table, const std::vector<int>& clips,
                 const TaskWeights& weights);

/// A clip and its augmented copies, by position in a dataset.
struct ClipVersions {
  std::string corpus;
  std::vector<int> versions;
};

/// Clips of a table, which it does not copy, with their targets: one column a clip.
struct Dataset {
  const FeatureTable& table;
  std::vector<int> clips;                ///< into the table
  nn::Matrix targets;                    ///< [outputs x clips], a distribution in every head
  nn::Matrix allowed;                    ///< [outputs x clips], see nn::Targets
  nn::Matrix weights;                    ///< [heads x clips], zero where a label is missing
  std::vector<ClipVersions> recordings;  ///< in the order of their first clips
  nn::Index spectral_rows = 0;           ///< leading rows that are bands of a spectrum

  std::size_t size() const { return clips.size(); }
  const Utterance& utterance(int i) const { return table.clips[place(i)]; }
  nn::Index frames(int i) const { return table.frames(place(i)); }
  std::size_t place(int i) const { return static_cast<std::size_t>(clips[i]); }
  /// Features of clip i, [rows x frames].
  auto features(int i) const { return table.clip(place(i)); }
};

/// Throws Error if a clip has no emotion or one that is not among the tasks'.
Dataset make_dataset(const FeatureTable& table, const std::vector<int>& clips, const Tasks& tasks,
                     const TrainingOptions& options);

}  // namespace ser
