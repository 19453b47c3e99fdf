#include "ser/eval/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "core/internal/numbers.h"
#include "eval/search_log.h"
#include "eval/search_rungs.h"
#include "eval/team_folds.h"
#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
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
    const std::size_t best = arenas[k + 1].best();
    scored[k] = {
        static_cast<int>(k), outer[k].test_speakers,
        train_and_ask(setting, setting.trials[best].recipe, setting.run.outer, outer[k], k)};
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
  return fmt::format("{:016x}", hash_of(table, hash));
}

void describe_work(const SearchSetting& setting, const Recipe& base, const Arena& arena,
                   SearchResult& result) {
  for (int rung = 0; rung < setting.space.rung_count(); ++rung)
    result.epochs.push_back(epochs_at(setting.space, base.training.epochs, rung));
  for (std::size_t t = 0; t < setting.trials.size(); ++t) {
    const Recipe& recipe = setting.trials[t].recipe;
    result.trials.push_back({setting.trials[t].values, arena.uar[t], arena.failures[t]});
    if (!setting.trials[t].failure.empty()) continue;
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

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double squares(const std::vector<double>& values, double around) {
  double sum = 0;
  for (const double value : values) sum += (value - around) * (value - around);
  return sum;
}

/// Ranks from 0; equal values share theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  auto order = indices<std::size_t>(values.size());
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i)
      result[order[i]] = 0.5 * static_cast<double>(begin + end - 1);
    begin = end;
  }
  return result;
}

double squared_rank_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const std::vector<double> a = ranks(x), b = ranks(y);
  const double mean_a = mean(a), mean_b = mean(b);
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) product += (a[i] - mean_a) * (b[i] - mean_b);
  const double scale = squares(a, mean_a) * squares(b, mean_b);
  return scale > 0 ? product * product / scale : 0;
}

/// Variance between groups over that of all.
double variance_between(const std::vector<std::string>& groups, const std::vector<double>& y) {
  std::map<std::string, std::vector<double>> by_group;
  for (std::size_t i = 0; i < y.size(); ++i) by_group[groups[i]].push_back(y[i]);
  const double all = mean(y), total = squares(y, all);
  double between = 0;
  for (const auto& [group, values] : by_group)
    between += static_cast<double>(values.size()) * std::pow(mean(values) - all, 2);
  return total > 0 ? between / total : 0;
}

}  // namespace

SearchResult search(const FeatureTable& table, const Recipe& base, const SearchSpace& space,
                    const SearchRun& run) {
  if (run.trials < 1) fail("trials: expected at least 1, found {}", run.trials);
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
  result.recipe = trials[result.best].recipe;
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

std::vector<double> importance(const SearchResult& result) {
  std::vector<double> shares;
  for (std::size_t f = 0; f < result.space.fields.size(); ++f) {
    std::vector<double> scores, numbers;
    std::vector<std::string> values;
    const bool is_list = result.space.fields[f].kind == SearchField::Kind::kList;
    for (const TrialScore& trial : result.trials) {
      if (std::isnan(trial.uar.at(0))) continue;
      scores.push_back(trial.uar[0]);
      values.push_back(trial.values[f]);
      if (!is_list) numbers.push_back(parse_json(trial.values[f], "value").get<double>());
    }
    shares.push_back(scores.empty() ? 0
                     : is_list      ? variance_between(values, scores)
                                    : squared_rank_correlation(numbers, scores));
  }
  return shares;
}

}  // namespace ser
