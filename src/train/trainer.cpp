#include "ser/train/trainer.h"

#include <memory>
#include <mutex>
#include <span>

#include "core/internal/fail.h"
#include "model/internal/batch.h"
#include "ser/core/parallel.h"
#include "ser/corpus/speaker.h"
#include "ser/corpus/split.h"
#include "train/checkpoint.h"
#include "train/exchange.h"
#include "train/member_training.h"

namespace ser {
namespace {

constexpr std::uint64_t kMemberStream = 1000;

/// The network without the logits of helper tasks.
nn::Network drop_helpers(const nn::Network& network, nn::Index kept) {
  if (kept == network.outputs()) return network;
  nn::Network smaller(network.options(), network.input(), kept);
  const auto from = network.named_parameters(), to = smaller.named_parameters();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const nn::ConstAlignedMap all(network.parameters().data() + from[i].offset, from[i].rows,
                                  from[i].cols);
    nn::AlignedMap(smaller.parameters().data() + to[i].offset, to[i].rows, to[i].cols) =
        all.topRows(to[i].rows);
  }
  smaller.state() = network.state();
  return smaller;
}

Scaler fit_scaler(const TrainingData& data, const ScalerOptions& options) {
  ScalerFit fit;
  for (const int clip : data.train)
    data.table.for_each_part(clip, [&](const auto& part) { fit.add(part); });
  return fit.finish(options);
}

/// Saves member `m`. A disk that is full ends no training: it is told, and tried again when the
/// next state is due; only a run that is about to stop must be saved.
void save(Checkpoint& checkpoint, std::size_t m, const MemberTraining& training,
          const RunOptions& run, bool stopping) {
  try {
    checkpoint.save(m, training);
  } catch (const Error& error) {
    if (stopping || !run.on_checkpoint_failure) throw;
    run.on_checkpoint_failure(error.what());
  }
}

struct Trainings {
  const ShardSource& train;
  const ShardSource& validation;
  const RunOptions& run;
  Team& team;
  std::optional<Checkpoint> checkpoint;
  ArenaPool scratch;
  std::mutex observing;

  std::unique_ptr<MemberTraining> begin(std::size_t m) {
    const Rng rng = Rng(run.seed, run.stream).fork(kMemberStream + m);
    auto member =
        std::make_unique<MemberTraining>(train, validation, rng, run.threads, team, scratch);
    if (const auto state = checkpoint ? checkpoint->state(m) : std::nullopt)
      member->restore(*state);
    return member;
  }

  void end_step(std::size_t m, MemberTraining& member) {
    const std::optional<EpochReport> report = member.end_step();
    const bool stop = run.stop && run.stop();
    if (checkpoint && team.rank() == 0 && (report || stop || checkpoint->due(m)))
      save(*checkpoint, m, member, run, stop);
    if (report && run.observer && team.rank() == 0) {
      EpochReport labelled = *report;
      labelled.member = m;
      const std::lock_guard lock(observing);
      run.observer(labelled);
    }
    if (stop && !member.finished()) throw Stopped("training stopped before its end");
  }
};

/// The members' networks. What a member takes beside its network lasts no longer than its training.
std::vector<nn::Network> train_alone(Trainings& all, std::size_t members) {
  std::vector<std::optional<nn::Network>> networks(members);
  parallel_for(members, all.run.threads, [&](std::size_t m) {
    const std::unique_ptr<MemberTraining> member = all.begin(m);
    while (!member->finished()) {
      parallel_for(member->begin_step(), all.run.threads,
                   [&](std::size_t s) { member->run_shard(s); });
      all.end_step(m, *member);
    }
    networks[m] = member->result();
  });
  std::vector<nn::Network> results;
  for (std::optional<nn::Network>& network : networks) results.push_back(std::move(*network));
  return results;
}

/// Trains all members step by step together, the shards of all their batches dealt to the team.
std::vector<nn::Network> train_together(Trainings& all, std::size_t count) {
  struct Unit {
    MemberTraining* member;
    std::size_t shard;
  };
  std::vector<std::unique_ptr<MemberTraining>> members;
  for (std::size_t m = 0; m < count; ++m) members.push_back(all.begin(m));
  std::vector<Unit> units;
  do {
    units.clear();
    for (const auto& member : members) {
      const std::size_t shards = member->finished() ? 0 : member->begin_step();
      for (std::size_t s = 0; s < shards; ++s) units.push_back({member.get(), s});
    }
    parallel_for_mine(all.team, units.size(), all.run.threads,
                      [&](std::size_t u) { units[u].member->run_shard(units[u].shard); });
    share(all.team, units.size(), [&](std::size_t u, const auto& put) {
      const auto [loss, gradients, state] = units[u].member->result_of(units[u].shard);
      put(std::span(&loss, 1));
      put(std::span(gradients.data(), static_cast<std::size_t>(gradients.size())));
      put(std::span(state.data(), static_cast<std::size_t>(state.size())));
    });
    for (std::size_t m = 0; m < count; ++m)
      if (!members[m]->finished()) all.end_step(m, *members[m]);
  } while (!units.empty());
  std::vector<nn::Network> results;
  for (const auto& member : members) results.push_back(member->result());
  return results;
}

/// The clips of emotions that are among the classes: a speaker held out may have one alone.
std::vector<int> of_classes(const FeatureTable& table, std::vector<int> clips, const Tasks& tasks) {
  std::erase_if(clips, [&](int i) {
    return std::ranges::find(tasks.emotions, table.clips[i].emotion) == tasks.emotions.end();
  });
  return clips;
}

TrainingInfo training_info(const TrainingData& data, const Recipe& recipe, std::uint64_t seed) {
  TrainingInfo info;
  info.seed = seed;
  info.recipe = to_json(recipe);
  // Those that chose the epoch are no strangers either.
  std::vector<int> known = data.train;
  known.insert(known.end(), data.validation.begin(), data.validation.end());
  info.speakers = speakers_of(data.table.clips, known);
  info.recordings = contents_of(data.table.clips, known);
  return info;
}

}  // namespace

Model train(const TrainingData& data, const Recipe& recipe, const RunOptions& run) {
  recipe.validate();
  if (data.train.empty()) fail("training: expected clips to train on, found none");
  check_features(data.table.set, recipe);
  const Tasks tasks = make_tasks(data.table, data.train, recipe.training.tasks);
  const Scaler scaler = fit_scaler(data, recipe.scaler);
  const Dataset train_set = make_dataset(data.table, data.train, tasks, recipe.training);
  TrainingOptions by_label = recipe.training;  // what is validated is the label, not the votes
  by_label.listeners = 0;
  const Dataset validation_set =
      make_dataset(data.table, of_classes(data.table, data.validation, tasks), tasks, by_label);
  const Voices voices(train_set, recipe.listening), strangers(validation_set, {});
  const nn::Shape input =
      input_shape(std::ssize(data.table.rows), data.table.set.pool == Pooling::kNone);
  const ShardSource source{train_set, scaler, voices, tasks, recipe, input};
  const ShardSource validation{validation_set, scaler, strangers, tasks, recipe, input};

  Team& team = run.team ? *run.team : alone();
  Trainings all{source, validation, run, team, {}, {}, {}};
  if (!run.checkpoint.empty()) {
    all.checkpoint.emplace(run.checkpoint, run_identity(data, recipe, run), recipe.members);
    if (run.resume && std::filesystem::exists(run.checkpoint)) all.checkpoint->read();
    static_cast<void>(team.exchange(""));  // all have read before one writes
  }
  const std::vector<nn::Network> networks =
      team.size() == 1 ? train_alone(all, recipe.members) : train_together(all, recipe.members);

  Model model;
  model.emotions = tasks.emotions;
  model.genders = tasks.genders;
  model.training = training_info(data, recipe, run.seed);
  for (const nn::Network& network : networks)
    model.members.push_back({data.table.set, scaler, drop_helpers(network, tasks.kept_outputs()),
                             recipe.temperature, 1, recipe.listening, recipe.gender_only,
                             recipe.emotion_only});
  return model;
}

}  // namespace ser
