#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "ser/core/error.h"
#include "ser/core/team.h"
#include "ser/model/model.h"
#include "ser/train/recipe.h"
#include "ser/train/training_data.h"

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

/// How a training run goes, beside what is trained.
struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t stream = kWholeCorpus;  ///< of the random numbers; fold k takes k
  int threads = 0;                      ///< 0: all cores; never changes the result
  EpochObserver observer = {};
  std::filesystem::path checkpoint = {};  ///< written after each epoch and every 10 s; empty: none
  bool resume = false;                    ///< go on from the checkpoint, if it is there
  /// Told why a checkpoint could not be written, and training goes on; without it, that ends it.
  std::function<void(const std::string& why)> on_checkpoint_failure = {};
  std::function<bool()> stop = {};  ///< asked after each batch; true: save and throw Stopped
  /// Processes that share the work on each batch, all with the same data; null: this one alone.
  /// The first of them observes and saves; `stop` is for one process only.
  Team* team = nullptr;
};

/// Training ended early because `RunOptions::stop` asked for it; the checkpoint is written.
class Stopped : public Error {
 public:
  using Error::Error;
};

/// Training that leads nowhere: a loss, a gradient or a weight is no number any more.
class Diverged : public Error {
 public:
  using Error::Error;
};

/// Trains a model. The result depends on data, recipe, seed and stream alone: not on threads or
/// processes, and not on where a run was interrupted and resumed.
/// Throws Error if a training clip has no emotion, the recipe does not fit the features, the
/// checkpoint is of another run; Diverged if the loss stops being a number (with epoch, batch and
/// learning rate; the last good checkpoint stays).
Model train(const TrainingData& data, const Recipe& recipe, const RunOptions& run);

}  // namespace ser
