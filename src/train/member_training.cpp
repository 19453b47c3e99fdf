#include "train/member_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/internal/fail.h"
#include "core/internal/numbers.h"
#include "ser/core/parallel.h"
#include "train/exchange.h"

namespace ser {
namespace {

constexpr std::size_t kValidationBatch = 32;

/// Streams of a member's random numbers.
enum Stream : std::uint64_t { kInit, kOrder, kSteps };

nn::Network make_network(const ShardSource& source, const Rng& rng) {
  nn::Network network(source.recipe.network, source.shape, source.tasks.outputs());
  network.initialize(rng.fork(kInit));
  return network;
}

/// Whether some layer normalises one number a channel and clip, of which one clip has no spread.
bool normalises_over_clips(const std::vector<nn::Node>& nodes) {
  return std::ranges::any_of(nodes, [](const nn::Node& node) {
    return (node.layer->type() == "batch_norm" && node.input.bands == 1 &&
            node.input.frames == 1) ||
           normalises_over_clips(node.children);
  });
}

/// Throws Error if no shard has two clips though the network normalises over them.
void check_shard_size(const nn::Network& network, const TrainingOptions& options,
                      std::size_t clips) {
  const int largest = std::min(options.batch_size, options.shard_size);
  if ((largest > 1 && clips > 1) || !normalises_over_clips(network.nodes())) return;
  fail(
      "training: the network's batch_norm needs at least two clips at a time, found {}; raise "
      "batch_size and shard_size",
      std::min<std::size_t>(clips, largest));
}

/// Clips of each corpus in an epoch, one at least: `total` shared by the corpora's sizes to a
/// power.
std::map<std::string, std::size_t> share_epoch(const std::map<std::string, std::size_t>& sizes,
                                               std::size_t total, double power) {
  double sum = 0;
  for (const auto& [corpus, size] : sizes) sum += std::pow(static_cast<double>(size), power);
  std::map<std::string, std::size_t> shares;
  for (const auto& [corpus, size] : sizes)
    shares[corpus] = static_cast<std::size_t>(
        std::max(1L, std::lround(static_cast<double>(total) *
                                 std::pow(static_cast<double>(size), power) / sum)));
  return shares;
}

}  // namespace

MemberTraining::MemberTraining(const ShardSource& train, const ShardSource& validation,
                               const Rng& rng, int threads, Team& team, ArenaPool& scratch)
    : train_(train),
      validation_(validation),
      options_(train.recipe.training),
      rng_(rng),
      threads_(threads),
      team_(team),
      scratch_(scratch),
      network_(make_network(train, rng)),
      optimizer_(options_.optimizer, network_.decay_mask()) {
  check_shard_size(network_, options_, train.data.recordings.size());
  if (options_.weight_average > 0) {
    state_.average_parameters = network_.parameters();
    state_.average_state = network_.state();
  }
}

/// The clips of an epoch: every recording, or as many of each corpus as its share, drawn anew until
/// all were taken.
std::vector<int> MemberTraining::draw_clips(Rng& rng) const {
  const std::vector<ClipVersions>& all = train_.data.recordings;
  std::map<std::string, std::vector<int>> corpora;
  for (std::size_t i = 0; i < all.size(); ++i) corpora[all[i].corpus].push_back(i);
  std::map<std::string, std::size_t> sizes;
  for (const auto& [corpus, recordings] : corpora) sizes[corpus] = recordings.size();
  const std::size_t total =
      options_.epoch_clips == 0
          ? all.size()
          : std::min(all.size(), static_cast<std::size_t>(options_.epoch_clips));
  const auto shares = share_epoch(sizes, total, options_.corpus_share);
  std::vector<int> chosen;
  for (auto& [corpus, recordings] : corpora) {
    std::size_t wanted = shares.at(corpus);
    for (; wanted >= recordings.size(); wanted -= recordings.size())
      chosen.insert(chosen.end(), recordings.begin(), recordings.end());
    if (wanted == 0) continue;
    rng.shuffle(std::span(recordings));
    chosen.insert(chosen.end(), recordings.begin(),
                  recordings.begin() + static_cast<std::ptrdiff_t>(wanted));
  }
  std::vector<int> clips;
  for (const int i : chosen) {
    const std::vector<int>& versions = all[i].versions;
    if (options_.one_version)
      clips.push_back(versions[rng.below(versions.size())]);
    else
      clips.insert(clips.end(), versions.begin(), versions.end());
  }
  return clips;
}

/// Clips in random order, cut into batches whose clips are of similar length: the order is sorted
/// by length within groups of several batches, then the batches are shuffled.
std::vector<std::vector<int>> MemberTraining::draw_batches() const {
  Rng rng = rng_.fork(kOrder).fork(state_.epoch);
  std::vector<int> order = draw_clips(rng);
  rng.shuffle(std::span(order));
  const std::size_t batch = options_.batch_size;
  constexpr std::size_t kBatchesPerGroup = 8;
  const auto frames = [&](int id) { return train_.frames(id); };
  for (std::size_t begin = 0; begin < order.size(); begin += batch * kBatchesPerGroup) {
    const std::size_t end = std::min(order.size(), begin + batch * kBatchesPerGroup);
    std::stable_sort(order.begin() + static_cast<long>(begin),
                     order.begin() + static_cast<long>(end),
                     [&](int a, int b) { return frames(a) < frames(b); });
  }
  std::vector<std::vector<int>> batches;
  for (const auto& [begin, end] : cut_clips(order.size(), batch))
    batches.emplace_back(order.begin() + static_cast<long>(begin),
                         order.begin() + static_cast<long>(end));
  rng.shuffle(std::span(batches));
  return batches;
}

std::size_t MemberTraining::begin_step() {
  if (batches_.empty()) batches_ = draw_batches();
  std::vector<nn::Index> frames;
  for (const int clip : batches_[state_.batch]) frames.push_back(train_.frames(clip));
  shards_ = cut_shards(frames, options_.shard_size);
  while (workspaces_.size() < shards_.size()) workspaces_.push_back(network_.make_workspace());
  losses_.assign(shards_.size(), 0);
  return shards_.size();
}

void MemberTraining::run_shard(std::size_t s) {
  nn::Workspace& workspace = workspaces_[s];
  workspace.arena = scratch_.take();
  const Rng rng = rng_.fork(kSteps).fork(state_.step).fork(s);
  const auto [begin, end] = shards_[s];
  const std::span<const int> clips = std::span(batches_[state_.batch]).subspan(begin, end - begin);
  const Shard shard = make_training_shard(train_, clips, rng.fork(0), workspace.arena);
  const nn::Tensor logits = network_.forward(workspace, shard.input, nn::Mode::kTrain, rng.fork(1));
  const nn::Tensor gradient = workspace.arena.tensor_like(logits);
  losses_[s] = nn::softmax_cross_entropy(logits, train_.tasks.heads, shard.answers(), gradient);
  network_.backward(workspace, gradient, rng.fork(1));
  scratch_.give(std::move(workspace.arena));
}

MemberTraining::ShardResult MemberTraining::result_of(std::size_t shard) {
  nn::Workspace& workspace = workspaces_[shard];
  workspace.gradients.resize(network_.parameters().size());
  workspace.state_update.resize(network_.state().size());
  return {losses_[shard], workspace.gradients, workspace.state_update};
}

std::optional<EpochReport> MemberTraining::end_step() {
  const std::size_t clips = batches_[state_.batch].size();
  const double batches = batches_.size();
  const double progress =
      (state_.epoch + static_cast<double>(state_.batch) / batches) / options_.epochs;
  const double rate = options_.learning_rate * nn::schedule_factor(options_.schedule, progress);
  descend(clips, rate);
  const double loss = std::accumulate(losses_.begin(), losses_.end(), 0.0);
  check_finite(std::isfinite(loss), "loss");
  state_.loss += loss;
  state_.clips += clips;
  ++state_.step;
  if (++state_.batch < batches_.size()) return std::nullopt;
  return end_epoch(rate);
}

void MemberTraining::check_finite(bool holds, std::string_view what) const {
  if (holds) return;
  throw Diverged(fmt::format(
      "training: the {} is no number any more in epoch {}, batch {}: it diverges; lower "
      "learning_rate ({} now) or gradient_clip ({})",
      what, state_.epoch + 1, state_.batch + 1, options_.learning_rate,
      options_.gradient_clip > 0 ? fmt::format("{} now", options_.gradient_clip) : "none now"));
}

EpochReport MemberTraining::end_epoch(double rate) {
  EpochReport report;
  const bool validating = validation_.data.size() > 0;
  const ValidationScore score = validating ? validate() : ValidationScore{};
  check_finite(std::isfinite(score.loss), "validation loss");
  report.epoch = ++state_.epoch;
  report.epochs = options_.epochs;
  report.clips = state_.clips;
  report.learning_rate = rate;
  report.loss = state_.loss / static_cast<double>(state_.clips);
  batches_.clear();
  state_.batch = 0;
  state_.loss = 0;
  state_.clips = 0;
  if (validating) {
    report.validation_loss = score.loss;
    report.validation_accuracy = score.accuracy;
    keep_if_better(score.loss);
  }
  return report;
}

/// Moves the weights by what the shards of a batch of `clips` clips found.
void MemberTraining::descend(std::size_t clips, double rate) {
  nn::Vector& gradient = workspaces_[0].gradients;
  for (std::size_t s = 1; s < shards_.size(); ++s) gradient += workspaces_[s].gradients;
  gradient /= static_cast<nn::Real>(clips);
  check_finite(gradient.allFinite(), "gradient");
  if (options_.gradient_clip > 0) nn::clip_gradient(gradient, options_.gradient_clip);
  optimizer_.step(network_.parameters(), gradient, rate);
  for (std::size_t s = 0; s < shards_.size(); ++s)
    network_.apply_state_update(workspaces_[s].state_update, options_.norm_momentum);
  average_weights();
}

/// Running average whose decay grows from 0 to `weight_average`, so that early weights fade.
void MemberTraining::average_weights() {
  if (options_.weight_average == 0) return;
  const double steps = state_.step;
  const double decay = std::min(options_.weight_average, (1 + steps) / (10 + steps));
  const auto share = static_cast<nn::Real>(1 - decay);
  state_.average_parameters += share * (network_.parameters() - state_.average_parameters);
  state_.average_state += share * (network_.state() - state_.average_state);
}

ValidationScore MemberTraining::validate() {
  const nn::Network network = current();
  const std::size_t clips = validation_.data.size();
  const auto all = indices<int>(clips);
  std::vector<ValidationScore> parts((clips + kValidationBatch - 1) / kValidationBatch);
  const nn::HeadRange emotions = train_.tasks.heads[0];
  parallel_for_mine(team_, parts.size(), threads_, [&](std::size_t b) {
    const std::size_t begin = b * kValidationBatch;
    const std::size_t count = std::min(clips - begin, kValidationBatch);
    nn::Workspace workspace = network.make_workspace();
    workspace.arena = scratch_.take();
    const Shard shard =
        make_plain_shard(validation_, std::span(all).subspan(begin, count), workspace.arena);
    const nn::Tensor logits = network.forward(workspace, shard.input, nn::Mode::kInfer, Rng(0, 0));
    shard.weights.matrix().row(0).setOnes();
    parts[b].loss = nn::softmax_cross_entropy(logits, {emotions}, shard.answers(),
                                              workspace.arena.tensor_like(logits));
    for (nn::Index n = 0; n < logits.clips; ++n) {
      const auto allowed = shard.allowed.matrix().col(n).head(emotions.size).array() > 0;
      const auto z = logits.matrix().col(n).head(emotions.size).array();
      nn::Index best = 0;
      allowed.select(z, std::numeric_limits<nn::Real>::lowest()).maxCoeff(&best);
      parts[b].accuracy += shard.targets.matrix()(best, n);
    }
    scratch_.give(std::move(workspace.arena));
  });
  share(team_, parts.size(), [&](std::size_t b, const auto& put) { put(std::span(&parts[b], 1)); });
  ValidationScore total;
  for (const ValidationScore& part : parts) {
    total.loss += part.loss / static_cast<double>(clips);
    total.accuracy += part.accuracy / static_cast<double>(clips);
  }
  return total;
}

void MemberTraining::keep_if_better(double loss) {
  const bool first = state_.best_epoch == 0;
  if (!options_.early_stopping.enabled || (!first && loss >= state_.best_loss)) return;
  const nn::Network best = current();
  state_.best_parameters = best.parameters();
  state_.best_state = best.state();
  state_.best_loss = loss;
  state_.best_epoch = state_.epoch;
}

bool MemberTraining::finished() const {
  const bool stopped = options_.early_stopping.enabled && state_.best_epoch > 0 &&
                       state_.epoch - state_.best_epoch >= options_.early_stopping.patience;
  return state_.epoch >= options_.epochs || stopped;
}

nn::Network MemberTraining::with(const nn::Vector& parameters, const nn::Vector& state) const {
  nn::Network network = network_;
  network.parameters() = parameters;
  network.state() = state;
  return network;
}

nn::Network MemberTraining::current() const {
  return options_.weight_average > 0 ? with(state_.average_parameters, state_.average_state)
                                     : network_;
}

nn::Network MemberTraining::result() const {
  return state_.best_epoch > 0 ? with(state_.best_parameters, state_.best_state) : current();
}

StateView MemberTraining::state() const {
  check_finite(network_.parameters().allFinite() && network_.state().allFinite(), "network");
  TrainingNumbers numbers = state_;
  numbers.optimizer_steps = optimizer_.steps();
  return {numbers,
          network_.parameters(),
          network_.state(),
          state_.average_parameters,
          state_.average_state,
          state_.best_parameters,
          state_.best_state,
          optimizer_.moments()};
}

void MemberTraining::restore(const TrainingState& state) {
  const bool averages = state.average_parameters.size() == state_.average_parameters.size() &&
                        state.average_state.size() == state_.average_state.size();
  const bool best =
      state.best_epoch == 0 || (state.best_parameters.size() == network_.parameters().size() &&
                                state.best_state.size() == network_.state().size());
  if (state.parameters.size() != network_.parameters().size() ||
      state.state.size() != network_.state().size() || !averages || !best)
    fail("checkpoint: its sizes do not fit this network");
  network_.parameters() = state.parameters;
  network_.state() = state.state;
  optimizer_.restore(state.optimizer_steps, state.moments);
  state_ = state;
  for (nn::Vector* held :
       {&state_.parameters, &state_.state, &state_.moments[0], &state_.moments[1]})
    held->resize(0);
  batches_.clear();
  if (state_.batch > 0) batches_ = draw_batches();
  if (state_.batch > 0 && state_.batch >= batches_.size())
    fail("checkpoint: its batch does not fit this data");
}

}  // namespace ser
