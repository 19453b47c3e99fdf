#include "searching.h"

#include <fmt/format.h>

#include <memory>

#include "interrupt.h"
#include "progress.h"
#include "ser/core/atomic_file.h"
#include "ser/core/file_kind.h"
#include "ser/core/text.h"
#include "ser/corpus/shard.h"
#include "ser/eval/search.h"
#include "ser/report/report.h"
#include "standard_output.h"
#include "talk.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxSpaceBytes = 1 << 20;

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

SearchRun run_of(const TrainingFlags& flags, const CommonOptions& common, Team& team,
                 RungProgress& progress) {
  SearchRun run{flags.trials, flags.cv, static_cast<std::uint64_t>(common.seed), common.threads};
  run.file = flags.checkpoint;
  run.resume = flags.resume;
  run.team = &team;
  run.observer = [&](std::size_t done, std::size_t units) { progress.advance_to(done, units); };
  if (!flags.shard.empty()) {
    const ShardInfo shard = from_flag("--shard", [&] { return parse_shard(flags.shard); });
    run.shard = shard.number;
    run.shards = shard.of;
  }
  if (!flags.checkpoint.empty() && team.size() == 1) {
    catch_interrupts();
    run.stop = [] { return interrupted(); };
  }
  return run;
}

void print_result(const SearchResult& result) {
  const TrialScore& best = result.trials[result.best];
  fmt::print("best of {} trial{}: {}\n", result.trials.size(), result.trials.size() == 1 ? "" : "s",
             result.best);
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

void warn_of_failures(const SearchResult& result) {
  std::vector<std::string> failed;
  for (std::size_t t = 0; t < result.trials.size(); ++t)
    if (const std::string& why = result.trials[t].failure; !why.empty())
      failed.push_back(fmt::format("trial {}: {}", t, why));
  if (!failed.empty())
    talk::warn("{} of {} trials failed: {}", failed.size(), result.trials.size(), some_of(failed));
}

void warn_of_folds(const TrainingFlags& flags, const SearchSpace& space,
                   const FeatureTable& table) {
  if (flags.cv.empty())
    talk::warn("without --cv there is no nested score: that of the best trial flatters it");
  else
    warn_of_split(table.clips, split_scheme(flags.cv));
  warn_of_split(table.clips, parse_split_scheme(space.folds));
}

void search_all(const TrainingFlags& flags, const Recipe& base, const FeatureTable& table,
                const SearchSpace& space, const SearchRun& run) {
  const SearchResult result = search(table, base, space, run);
  if (run.team->rank() > 0) return;
  warn_of_failures(result);
  print_then_write([&] { print_result(result); },
                   [&] {
                     write_file(flags.output, to_json(result.recipe, 2) + "\n");
                     if (!flags.report.empty())
                       write_file(flags.report, report::search_html(result));
                   });
  talk::info("{}: the best of {} recipes", flags.output, flags.trials);
}

}  // namespace

void check_search(const TrainingFlags& flags, const Flags& given, const Team& team) {
  if (flags.search.empty()) {
    given.refuse({"trials", "shard"}, "expected --search SPACE");
    return;
  }
  given.refuse({"fold"}, "--search leaves every fold of --cv out in turn, it has no place");
  given.refuse({"export", "weights", "risk", "uncertain_below"},
               "--search makes a recipe, no model");
  if (!flags.combine.empty()) given.refuse({"search"}, "--combine trains nothing, it has no place");
  check_resume(flags);
  if (flags.shard.empty()) return;
  given.refuse({"output"},
               "a shard of a search keeps its scores beside --checkpoint, it has no place");
  given.refuse({"report"}, "a shard of a search has no result, it has no place");
  if (flags.checkpoint.empty()) fail<UsageError>("--shard: expected --checkpoint FILE");
  if (team.size() > 1) fail<UsageError>("--shard: expected one process");
}

void run_search(const TrainingFlags& flags, const Recipe& base, const FeatureTable& table,
                const CommonOptions& common, Team& team) {
  RungProgress progress(common.quiet);
  const SearchRun run = run_of(flags, common, team, progress);
  expect_kind(flags.search, FileKind::kSpace);
  const std::string text = read_file(flags.search, kMaxSpaceBytes);
  const SearchSpace space = with_context(flags.search, [&] { return parse_search_space(text); });
  explain_stop("search", flags.checkpoint, [&] {
    if (flags.shard.empty()) {
      warn_of_folds(flags, space, table);
      search_all(flags, base, table, space, run);
    } else {
      const bool done = search_shard(table, base, space, run);
      talk::info("{}: shard {} is done{}", flags.checkpoint, flags.shard,
                 done ? ", and the search" : " as far as it can be without the others");
    }
  });
}

}  // namespace ser
