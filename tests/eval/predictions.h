#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "ser/core/rng.h"
#include "ser/eval/result_file.h"

namespace ser {

/// A prediction that gives `said` the probability `confidence` and the others equal shares.
inline Prediction predict(const std::vector<std::string>& labels, const std::string& file,
                          const std::string& speaker, const std::string& truth,
                          const std::string& said, double confidence = 0.8) {
  Prediction p{file, speaker, truth, "", {}, {}};
  for (const std::string& label : labels)
    p.probabilities.push_back(label == said ? confidence
                                            : (1 - confidence) / double(labels.size() - 1));
  return p;
}

/// Folds of random predictions, `per_speaker` clips for each of two speakers a fold.
inline std::vector<FoldPredictions> random_folds(const std::vector<std::string>& labels, int folds,
                                                 int per_speaker, std::uint64_t seed) {
  Rng rng(seed, 0);
  std::vector<FoldPredictions> result;
  for (int fold = 0; fold < folds; ++fold) {
    FoldPredictions part{fold, {std::to_string(2 * fold + 1), std::to_string(2 * fold + 2)}, {}};
    for (const std::string& speaker : part.test_speakers)
      for (int i = 0; i < per_speaker; ++i) {
        Prediction p{speaker + "/" + std::to_string(i) + ".wav",
                     speaker,
                     labels[rng.below(2)],
                     "male",
                     {},
                     {}};
        double sum = 0;
        for (std::size_t c = 0; c < labels.size(); ++c)
          sum += p.probabilities.emplace_back(rng.uniform());
        for (double& probability : p.probabilities) probability /= sum;
        const double male = rng.uniform();
        p.gender_probabilities = {male, 1 - male};
        part.predictions.push_back(p);
      }
    result.push_back(part);
  }
  return result;
}

}  // namespace ser
