#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ser/core/rng.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"
#include "ser/train/trainer.h"
#include "train/shard.h"

namespace ser {

/// Loss and accuracy of the emotion head over a dataset, without training.
struct ValidationScore {
  double loss = 0;
  double accuracy = 0;
};

/// How far the training of a network is, between two batches.
struct TrainingNumbers {
  int epoch = 0;          ///< epochs done
  std::size_t batch = 0;  ///< batches done of the one that runs
  long step = 0;          ///< batches done in all
  double loss = 0;        ///< summed over the clips of this epoch so far
  std::size_t clips = 0;
  double best_loss = 0;
  int best_epoch = 0;  ///< 0: none yet
  long optimizer_steps = 0;
};

/// Everything that changes while a network is trained: what a checkpoint keeps.
struct TrainingState : TrainingNumbers {
  nn::Vector parameters, state;
  nn::Vector average_parameters, average_state;  ///< empty without averaging
  nn::Vector best_parameters, best_state;        ///< empty before the first validation
  std::array<nn::Vector, 2> moments;             ///< of the optimizer
};

/// The same where it stands, good until the next step: copies would be five networks more.
struct StateView {
  TrainingNumbers numbers;
  const nn::Vector &parameters, &state;
  const nn::Vector &average_parameters, &average_state;
  const nn::Vector &best_parameters, &best_state;
  const std::array<nn::Vector, 2>& moments;
};

/// Scratch memory that units of work borrow: as much as run at a time, however many there are.
class ArenaPool {
 public:
  nn::Arena take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    nn::Arena arena = std::move(free_.back());
    free_.pop_back();
    return arena;
  }
  void give(nn::Arena arena) {
    arena.reset();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(arena));
  }

 private:
  std::mutex mutex_;
  std::vector<nn::Arena> free_;
};

/// Trains one network batch by batch. Batches are cut into shards by size and length alone, whose
/// gradients are summed in order: neither threads nor processes that work on them change a bit.
class MemberTraining {
 public:
  /// The sources, of one recipe, and what they refer to must outlive it. team: shares the work of
  /// validation; scratch: what shards work in, of all members. Throws Error for batches too small
  /// for the network.
  MemberTraining(const ShardSource& train, const ShardSource& validation, const Rng& rng,
                 int threads, Team& team, ArenaPool& scratch);

  struct ShardResult {
    double& loss;
    nn::Vector& gradients;
    nn::Vector& state_update;
  };

  /// A step is the next batch: begun, every shard run, in any order or in parallel, and ended.
  /// Returns the number of shards.
  std::size_t begin_step();
  void run_shard(std::size_t shard);
  /// For what another process found, where the shard was run there.
  ShardResult result_of(std::size_t shard);
  /// A report if the step ended an epoch. Throws Diverged.
  std::optional<EpochReport> end_step();
  /// All epochs done, or stopped early.
  bool finished() const;
  /// The network to keep: of the last epoch or the best, weights averaged where the recipe says so.
  nn::Network result() const;

  /// What is needed to go on elsewhere. Throws Error if it is no numbers.
  StateView state() const;
  /// Throws Error if the state is of another network.
  void restore(const TrainingState& state);

 private:
  std::vector<int> draw_clips(Rng& rng) const;
  std::vector<std::vector<int>> draw_batches() const;
  void check_finite(bool holds, std::string_view what) const;
  EpochReport end_epoch(double rate);
  void descend(std::size_t clips, double rate);
  void average_weights();
  ValidationScore validate();
  void keep_if_better(double loss);
  /// The network as it stands, weights averaged where the recipe says so.
  nn::Network current() const;
  nn::Network with(const nn::Vector& parameters, const nn::Vector& state) const;

  const ShardSource& train_;
  const ShardSource& validation_;
  const TrainingOptions& options_;
  Rng rng_;
  int threads_;
  Team& team_;
  ArenaPool& scratch_;
  nn::Network network_;
  nn::Optimizer optimizer_;
  std::vector<std::vector<int>> batches_;  ///< of this epoch
  std::vector<ClipRange> shards_;          ///< of the batch
  std::vector<nn::Workspace> workspaces_;  ///< one a shard
  std::vector<double> losses_;             ///< one a shard
  TrainingState state_;  ///< parameters, statistics and moments stand in network and optimizer
};

}  // namespace ser
