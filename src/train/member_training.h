#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ser/core/rng.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"
#include "ser/train/trainer.h"
#include "train/dataset.h"

namespace ser {

/// Loss and accuracy of the emotion head over a dataset, without training.
struct ValidationScore {
  double loss = 0;
  double accuracy = 0;
};

/// Trains one network epoch by epoch. Batches are cut into shards of a fixed size, whose gradients
/// are summed in order, so that `threads` changes no bit.
class MemberTraining {
 public:
  /// The datasets must outlive it.
  MemberTraining(const Dataset& train, const Dataset& validation, const Tasks& tasks,
                 const Recipe& recipe, const nn::Shape& input, const Rng& rng, int threads);

  /// Runs the next epoch. Throws Error if the loss is no number.
  EpochReport run_epoch();
  /// All epochs done, or stopped early.
  bool finished() const;
  /// The network to keep: of the last epoch or the best, weights averaged where the recipe says so.
  nn::Network result() const;

 private:
  struct Weights {
    nn::Vector parameters;
    nn::Vector state;
  };

  std::vector<std::vector<int>> draw_batches() const;
  double train_batch(const std::vector<int>& batch, double rate, const Rng& rng);
  void average_weights();
  ValidationScore validate();
  void keep_if_better(double loss);
  nn::Network with(const Weights& weights) const;

  const Dataset& train_;
  const Dataset& validation_;
  const Tasks& tasks_;
  const TrainingOptions& options_;
  Rng rng_;
  int threads_;
  nn::Network network_;
  nn::Optimizer optimizer_;
  std::vector<nn::Workspace> workspaces_;  ///< one a shard
  nn::Vector gradient_;
  Weights average_;
  std::optional<Weights> best_;
  double best_loss_ = 0;
  int best_epoch_ = 0;
  int epoch_ = 0;
  long step_ = 0;
};

}  // namespace ser
