#include "ser/train/training_data.h"

#include <set>
#include <utility>

#include "model/internal/batch.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/split.h"
#include "train/dataset.h"

namespace ser {

TrainingData training_data(const FeatureTable& table, const std::vector<int>& clips,
                           const Recipe& recipe, std::uint64_t seed, std::uint64_t stream) {
  TrainingData data{table, clips, {}};
  if (recipe.training.early_stopping.enabled) {
    ValidationSplit split = hold_out_validation(table.clips, clips, seed, stream);
    data.train = std::move(split.train);
    data.validation = std::move(split.validation);
  }
  return data;
}

std::vector<std::string> gender_labels(const FeatureTable& table, const std::vector<int>& clips,
                                       const TaskWeights& weights) {
  const std::set<std::string> gendered = gendered_corpora(table, clips);
  std::set<std::string> genders;
  for (const int i : clips) {
    const Utterance& clip = table.clips[static_cast<std::size_t>(i)];
    if (gendered.contains(clip.corpus)) genders.insert(clip.gender);
  }
  return weights.gender > 0 && genders.size() == 2 ? std::vector<std::string>{"male", "female"}
                                                   : std::vector<std::string>{};
}

nn::Network make_network(const Recipe& recipe, const FeatureTable& table, int outputs) {
  const nn::Shape input = input_shape(std::ssize(table.rows), table.set.pool == Pooling::kNone);
  return nn::Network(recipe.network, input, outputs);
}

}  // namespace ser
