#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "ser/core/atomic_file.h"
#include "ser/train/trainer.h"
#include "support/synthetic_table.h"
#include "support/temp_folder.h"

namespace ser {

inline Recipe small_recipe() {
  Recipe recipe;
  from_json(R"({
    "network": {"layers": [{"type": "dense", "units": 16}, {"type": "batch_norm", "activation": "relu"},
                           {"type": "dropout", "rate": 0.2}]},
    "training": {"epochs": 12, "batch_size": 24, "shard_size": 6, "learning_rate": 0.01,
                 "label_smoothing": 0.05, "weight_average": 0.9, "tasks": {"gender": 0.5, "intensity": 0.2},
                 "augmentation": {"mixup": 0.2}}
  })",
            recipe);
  return recipe;
}

inline std::vector<int> all_of_table(const FeatureTable& table) {
  std::vector<int> all(table.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// A recipe with everything that is drawn: versions, shares, mixup, voices.
inline Recipe drawing_recipe() {
  Recipe recipe = small_recipe();
  recipe.members = 2;
  recipe.listening.enabled = true;
  recipe.training.epoch_clips = 60;
  recipe.training.corpus_share = 0.5;
  return recipe;
}

/// Speakers 1 and 2 are a corpus of their own, without anger.
inline FeatureTable two_corpora(int speakers, int takes) {
  FeatureTable table = synthetic_table(speakers, takes);
  for (Utterance& clip : table.clips) {
    if (clip.speaker > "2") continue;
    clip.corpus = "other";
    if (clip.emotion == "angry") clip.emotion = "sad";
  }
  return table;
}

inline std::string bytes_of(const Model& model) {
  const TempFolder folder;
  write_model(model, folder / "m.json");
  return read_file(folder / "m.json", 1 << 24);
}

}  // namespace ser
