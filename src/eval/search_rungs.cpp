#include "eval/search_rungs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/internal/fail.h"
#include "core/internal/numbers.h"
#include "ser/core/parallel.h"
#include "ser/eval/evaluate.h"
#include "ser/train/trainer.h"

namespace ser {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kUnitsPerThread = 4;  // between two looks at what the others did

/// None where the run was asked to stop first.
std::optional<ScoredUnit> score_unit(const SearchSetting& setting, const std::vector<Arena>& arenas,
                                     const SearchUnit& unit) {
  const Trial& trial = setting.trials[unit.trial];
  if (!trial.failure.empty()) return ScoredUnit{unit, kNaN, trial.failure};
  const Fold& fold = arenas[unit.search].folds[unit.fold];
  Recipe recipe = trial.recipe;
  recipe.training.epochs = epochs_at(setting.space, recipe.training.epochs, unit.rung);
  try {
    const std::vector<Prediction> said =
        train_and_ask(setting, recipe, setting.space.folds, fold, unit.fold);
    return ScoredUnit{unit, score(setting.labels, said).uar};
  } catch (const Stopped&) {
    return std::nullopt;
  } catch (const Error& error) {
    return ScoredUnit{unit, kNaN, error.what()};
  }
}

/// Works out the scores of the units at `mine` of `open`.
std::vector<ScoredUnit> score_units(const SearchSetting& setting, const std::vector<Arena>& arenas,
                                    const std::vector<SearchUnit>& mine) {
  std::vector<std::optional<ScoredUnit>> scores(mine.size());
  parallel_for(mine.size(), setting.run.threads,
               [&](std::size_t i) { scores[i] = score_unit(setting, arenas, mine[i]); });
  std::vector<ScoredUnit> scored;
  for (std::optional<ScoredUnit>& one : scores)
    if (one) scored.push_back(std::move(*one));
  return scored;
}

/// The units whose scores are not known, those of other shards of the search left out.
std::vector<SearchUnit> open_units(const SearchRun& run, const std::vector<SearchUnit>& units,
                                   const SearchLog& log) {
  std::vector<SearchUnit> open;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (i % static_cast<std::size_t>(run.shards) == static_cast<std::size_t>(run.shard - 1) &&
        !log.knows(units[i]))
      open.push_back(units[i]);
  return open;
}

/// The scores of these units, worked out by the team, chunk by chunk.
void work(const SearchSetting& setting, const std::vector<Arena>& arenas,
          const std::vector<SearchUnit>& units, Team& team, SearchLog& log) {
  const SearchRun& run = setting.run;
  const std::vector<SearchUnit> open = open_units(run, units, log);
  const int threads = run.threads > 0 ? run.threads : available_threads();
  const std::size_t chunk =
      kUnitsPerThread * static_cast<std::size_t>(threads) * static_cast<std::size_t>(team.size());
  for (std::size_t begin = 0; begin < open.size(); begin += chunk) {
    const std::size_t end = std::min(open.size(), begin + chunk);
    std::vector<SearchUnit> mine;
    for (std::size_t i = begin; i < end; ++i)
      if (team.deals_me(i)) mine.push_back(open[i]);
    for (const std::string& text : team.exchange(to_text(score_units(setting, arenas, mine))))
      log.add(units_of(text));
    const bool stop = run.stop && run.stop();
    if (team.rank() == 0) stop || end == open.size() ? log.save() : log.save_if_due();
    if (stop) throw Stopped("the search stopped before its end");
    if (run.observer) run.observer(end, open.size());
  }
}

/// Whether `a` did better; what failed did worst.
bool better(double a, double b) { return !std::isnan(a) && (std::isnan(b) || a > b); }

/// Takes the scores of a rung, and ranks its trials: best first, equal ones in their order.
/// Throws Error if all of them failed.
void rank_trials(Arena& arena, int search, int rung, const SearchLog& log) {
  for (const int trial : arena.alive) {
    double sum = 0;
    for (int fold = 0; fold < std::ssize(arena.folds); ++fold) {
      const ScoredUnit& unit = log.score({search, rung, trial, fold});
      sum += unit.uar;
      if (arena.failures[trial].empty()) arena.failures[trial] = unit.failure;
    }
    arena.uar[trial].push_back(sum / static_cast<double>(arena.folds.size()));
  }
  std::ranges::stable_sort(
      arena.alive, [&](int a, int b) { return better(arena.uar[a].back(), arena.uar[b].back()); });
  if (std::isnan(arena.best_uar()))
    fail("search: every trial failed, such as trial {}: {}", arena.best(),
         arena.failures[arena.best()]);
}

std::vector<SearchUnit> units_at(const std::vector<Arena>& arenas, int rung) {
  std::vector<SearchUnit> units;
  for (int s = 0; s < std::ssize(arenas); ++s) {
    const Arena& arena = arenas[s];
    for (const int trial : arena.alive)
      for (int f = 0; f < std::ssize(arena.folds); ++f) units.push_back({s, rung, trial, f});
  }
  return units;
}

}  // namespace

int epochs_at(const SearchSpace& space, int epochs, int rung) {
  const double factor = std::pow(space.reduction, space.rung_count() - 1 - rung);
  return std::max(1, static_cast<int>(std::lround(epochs / factor)));
}

std::vector<Prediction> train_and_ask(const SearchSetting& setting, const Recipe& recipe,
                                      const std::string& split, const Fold& fold,
                                      std::uint64_t stream) {
  RunOptions run{setting.run.seed, stream, setting.run.threads};
  run.stop = setting.run.stop;
  const Model model =
      train(training_data(setting.table, fold.train, recipe, run.seed, stream), recipe, run);
  return evaluate(model, {&setting.table}, fold.test, run.threads,
                  {{}, setting.labels, classes_in_common(split, setting.table.clips, fold.test)});
}

std::vector<Arena> make_arenas(const SearchSetting& setting) {
  const std::vector<Utterance>& clips = setting.table.clips;
  std::vector<std::vector<int>> seen = {whole_corpus(clips).train};
  for (const Fold& fold : setting.outer) seen.push_back(fold.train);
  std::vector<Arena> arenas;
  for (const std::vector<int>& chosen : seen) {
    const std::string where =
        arenas.empty() ? "" : fmt::format("outer fold {}: ", arenas.size() - 1);
    Arena& arena = arenas.emplace_back();
    arena.folds = with_context(where + "inner folds " + setting.space.folds, [&] {
      return make_folds(clips, chosen, parse_split_scheme(setting.space.folds), setting.run.seed);
    });
    arena.alive = indices<int>(setting.trials.size());
    arena.uar.resize(setting.trials.size());
    arena.failures.resize(setting.trials.size());
  }
  return arenas;
}

bool climb(const SearchSetting& setting, Team& team, SearchLog& log, std::vector<Arena>& arenas) {
  const int rungs = setting.space.rung_count();
  for (int rung = 0; rung < rungs; ++rung) {
    const std::vector<SearchUnit> units = units_at(arenas, rung);
    work(setting, arenas, units, team, log);
    if (!std::ranges::all_of(units, [&](const SearchUnit& u) { return log.knows(u); }))
      return false;
    for (int s = 0; s < std::ssize(arenas); ++s) {
      Arena& arena = arenas[s];
      rank_trials(arena, s, rung, log);
      if (rung + 1 == rungs) continue;
      arena.alive.resize(std::max<std::size_t>(
          1, arena.alive.size() / static_cast<std::size_t>(setting.space.reduction)));
      std::erase_if(arena.alive, [&](int trial) { return std::isnan(arena.uar[trial].back()); });
    }
  }
  return true;
}

}  // namespace ser
