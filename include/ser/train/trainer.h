#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ser/core/error.h"
#include "ser/core/team.h"
#include "ser/corpus/feature_table.h"
#include "ser/model/model.h"
#include "ser/nn/network.h"
#include "ser/train/recipe.h"

namespace ser {

/// What to train on. Indices are into table.clips.
struct TrainingData {
  const FeatureTable& table;
  std::vector<int> train;
  std::vector<int> validation;  ///< clips of other speakers; empty: no early stopping
};

/// Stream of the random numbers of a run on the whole corpus; fold k uses stream k.
constexpr std::uint64_t kWholeCorpus = 0xffffffff;

/// The clips to train on, some of them held out as validation speakers where the recipe stops
/// early: see `hold_out_validation`.
TrainingData training_data(const FeatureTable& table, const std::vector<int>& clips,
                           const Recipe& recipe, std::uint64_t seed, std::uint64_t stream);

/// The genders that a model of these clips will know: only if they have a weight and both occur in
/// corpora whose clips all have one. Its emotions are `emotion_labels` of the clips.
std::vector<std::string> gender_labels(const FeatureTable& table, const std::vector<int>& clips,
                                       const TaskWeights& weights);

/// The network that the recipe makes for these features, untrained, with a logit for each of
/// `outputs` classes. Throws Error for features of another kind than the recipe's.
nn::Network make_network(const Recipe& recipe, const FeatureTable& table, int outputs);

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
