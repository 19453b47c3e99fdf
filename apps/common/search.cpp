#include "search.h"

#include <fmt/format.h>

#include <memory>

#include "folds.h"
#include "interrupt.h"
#include "progress.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/corpus/shard.h"
#include "ser/eval/search.h"
#include "ser/report/report.h"
#include "ser/train/trainer.h"
#include "talk.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxSpaceBytes = 1 << 20;

/// A bar for each rung.
class RungProgress {
 public:
  explicit RungProgress(bool quiet) : quiet_(quiet) {}
  void advance_to(std::size_t done, std::size_t units) {
    if (!bar_) bar_ = std::make_unique<Progress>("searching", "trainings", units, quiet_);
    bar_->advance(done - done_);
    done_ = done;
    if (done < units) return;
    bar_.reset();
    done_ = 0;
  }

 private:
  bool quiet_;
  std::unique_ptr<Progress> bar_;
  std::size_t done_ = 0;
};

SearchRun run_of(const SearchTask& task, const CommonOptions& common, Team& team,
                 RungProgress& progress) {
  SearchRun run{task.trials, task.cv, static_cast<std::uint64_t>(common.seed), common.threads};
  run.file = task.scores;
  run.resume = task.resume;
  run.team = &team;
  run.observer = [&](std::size_t done, std::size_t units) { progress.advance_to(done, units); };
  if (!task.shard.empty()) {
    const ShardInfo shard = from_flag("--shard", [&] { return parse_shard(task.shard); });
    run.shard = shard.number;
    run.shards = shard.of;
  }
  if (!task.scores.empty() && team.size() == 1) {
    catch_interrupts();
    run.stop = [] { return interrupted(); };
  }
  return run;
}

void print_result(const SearchResult& result) {
  const TrialScore& best = result.trials[static_cast<std::size_t>(result.best)];
  fmt::print("best of {} trials: {}\n", result.trials.size(), result.best);
  for (std::size_t f = 0; f < best.values.size(); ++f)
    fmt::print("  {}: {}\n", result.space.fields[f].path, best.values[f]);
  fmt::print("UAR         {:5.1f} %   on the folds it was chosen by: flattered\n",
             100 * result.flattered_uar);
  if (!result.nested) return;
  fmt::print("UAR, nested {:5.1f} %   ", 100 * result.nested->scores.uar);
  if (const auto& ci = result.nested->ci95)
    fmt::print("95 % interval {:.1f} to {:.1f}, ", 100 * ci->uar.low, 100 * ci->uar.high);
  fmt::print("on outer folds that no choice has seen\n");
}

void warn_of_folds(const SearchTask& task, const SearchSpace& space, const FeatureTable& table) {
  if (task.cv.empty())
    talk::warn("without --cv there is no nested score: that of the best trial flatters it");
  else
    warn_of_split(table.clips, split_scheme(task.cv));
  warn_of_split(table.clips, parse_split_scheme(space.folds));
}

void search_all(const SearchTask& task, const Recipe& base, const FeatureTable& table,
                const SearchSpace& space, const SearchRun& run) {
  const SearchResult result = search(table, base, space, run);
  if (run.team->rank() > 0) return;
  write_file(task.output, to_json(result.recipe, 2) + "\n");
  if (!task.report.empty()) write_file(task.report, report::search_html(result));
  print_result(result);
  talk::info("{}: the best of {} recipes", task.output, task.trials);
}

}  // namespace

void run_search(const SearchTask& task, const Recipe& base, const FeatureTable& table,
                const CommonOptions& common, Team& team) {
  RungProgress progress(common.quiet);
  const SearchRun run = run_of(task, common, team, progress);
  const SearchSpace space = with_context(
      task.space, [&] { return parse_search_space(read_file(task.space, kMaxSpaceBytes)); });
  try {
    if (task.shard.empty()) {
      warn_of_folds(task, space, table);
      search_all(task, base, table, space, run);
    } else {
      const bool done = search_shard(table, base, space, run);
      talk::info("{}: shard {} is done{}", task.scores, task.shard,
                 done ? ", and the search" : " as far as it can be without the others");
    }
  } catch (const Stopped&) {
    throw Error(
        fmt::format("interrupted; the search is saved in {}, go on with the same command "
                    "and --resume",
                    task.scores));
  }
}

}  // namespace ser
