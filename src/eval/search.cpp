#include "ser/eval/search.h"

#include <fmt/format.h>

#include <utility>

#include "eval/search_log.h"
#include "eval/search_rungs.h"
#include "eval/team_folds.h"
#include "ser/core/error.h"
#include "ser/core/hash.h"
#include "ser/core/parallel.h"
#include "ser/corpus/corpus.h"
#include "ser/eval/evaluate.h"
#include "ser/train/trainer.h"

namespace ser {
namespace {

/// Trains what each outer fold's search chose on all that it saw, and scores it on the fold.
void score_outer(const SearchSetting& setting, const std::vector<Arena>& arenas, Team& team,
                 SearchResult& result) {
  const std::vector<Fold>& outer = setting.outer;
  std::vector<FoldPredictions> scored(outer.size());
  parallel_for_mine(team, outer.size(), setting.run.threads, [&](std::size_t k) {
    const auto best = static_cast<std::size_t>(arenas[k + 1].best());
    scored[k] = {static_cast<int>(k), outer[k].test_speakers,
                 train_and_ask(setting, setting.trials[best].recipe, outer[k], k)};
  });
  share_folds(team, scored);
  for (std::size_t k = 0; k < outer.size(); ++k)
    result.outer.push_back({static_cast<int>(k), arenas[k + 1].best(), arenas[k + 1].best_uar(),
                            score(setting.labels, scored[k].predictions).uar});
  result.nested = make_result(
      {setting.labels, setting.run.outer, "", fingerprint(setting.table.set), setting.run.seed},
      std::move(scored));
}

/// Identifies a search, whatever its number of trials: those of a shorter one are of use.
std::string fingerprint_of(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                           const SearchRun& run) {
  std::uint64_t hash = fnv1a(to_json(base));
  const auto add = [&](std::string_view text) { hash = fnv1a(text, hash); };
  for (const SearchField& field : space.fields)
    add(fmt::format("{} {} {} {} {}", field.path, static_cast<int>(field.kind),
                    fmt::join(field.values, " "), field.low, field.high));
  add(fmt::format("{} {} {} {} {} {}", space.rung_count(), space.reduction, space.folds, run.outer,
                  run.seed, fingerprint(table.set)));
  for (const Utterance& clip : table.clips)
    add(fmt::format("{}|{}|{}|{}", clip.corpus, clip.path, clip.augmentation, clip.emotion));
  return fmt::format("{:016x}", hash);
}

void describe_work(const SearchSetting& setting, const Recipe& base, const Arena& arena,
                   SearchResult& result) {
  for (int rung = 0; rung < setting.space.rung_count(); ++rung)
    result.epochs.push_back(epochs_at(setting.space, base.training.epochs, rung));
  for (std::size_t t = 0; t < setting.trials.size(); ++t) {
    const Recipe& recipe = setting.trials[t].recipe;
    result.trials.push_back({setting.trials[t].values, arena.uar[t]});
    for (int rung = 0; rung < std::ssize(arena.uar[t]); ++rung)
      result.network_epochs += static_cast<double>(arena.folds.size()) * recipe.members *
                               epochs_at(setting.space, recipe.training.epochs, rung);
  }
}

SearchSetting make_setting(const FeatureTable& table, const SearchSpace& space,
                           const SearchRun& run, const std::vector<Trial>& trials) {
  return {table,
          space,
          run,
          trials,
          emotion_labels(table.clips),
          run.outer.empty() ? std::vector<Fold>{}
                            : make_folds(table.clips, parse_split_scheme(run.outer), run.seed)};
}

}  // namespace

SearchResult search(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                    const SearchRun& run) {
  const std::vector<Trial> trials = draw_trials(space, base, run.trials, run.seed);
  const SearchSetting setting = make_setting(table, space, run, trials);
  std::vector<Arena> arenas = make_arenas(setting);
  Team& team = run.team ? *run.team : alone();
  SearchLog log(run.file, "", fingerprint_of(table, base, space, run));
  if (run.resume) log.read();
  static_cast<void>(team.exchange(""));  // all have read before one writes
  climb(setting, team, log, arenas);

  SearchResult result;
  result.space = space;
  describe_work(setting, base, arenas[0], result);
  result.best = arenas[0].best();
  result.flattered_uar = arenas[0].best_uar();
  result.recipe = trials[static_cast<std::size_t>(result.best)].recipe;
  if (!setting.outer.empty()) score_outer(setting, arenas, team, result);
  if (team.rank() == 0) log.finish(result);
  return result;
}

bool search_shard(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                  const SearchRun& run) {
  const std::vector<Trial> trials = draw_trials(space, base, run.trials, run.seed);
  const SearchSetting setting = make_setting(table, space, run, trials);
  std::vector<Arena> arenas = make_arenas(setting);
  SearchLog log(run.file, fmt::format(".{}-of-{}", run.shard, run.shards),
                fingerprint_of(table, base, space, run));
  log.read();
  return climb(setting, alone(), log, arenas);
}

}  // namespace ser
