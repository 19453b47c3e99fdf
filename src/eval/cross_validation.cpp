#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "eval/heard.h"
#include "eval/team_folds.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/eval/evaluate.h"

namespace ser {
namespace {

/// Trains on the other folds and asks the model about fold `k`.
FoldDone validate_fold(const FeatureTable& table, const Fold& fold, std::size_t k,
                       const SplitScheme& scheme, const Recipe& recipe, std::uint64_t seed,
                       int threads, const FoldObserver& observer, const std::vector<int>& heard) {
  const int number = k;
  LearningLog log;
  RunOptions run{seed, k, threads};
  run.observer = [&](const EpochReport& report) {
    log.add(number, report);
    observer(number, report);
  };
  const Model model = train(training_data(table, fold.train, recipe, seed, k), recipe, run);
  Asking asking{
      {}, emotion_labels(table.clips), classes_in_common(scheme.name(), table.clips, fold.test)};
  FoldDone done{{}, log.curves()};
  for (const int count : heard) {
    asking.heard = draw_heard(table.clips, fold.test, count, seed);
    done.by_heard.push_back(
        {number, fold.test_speakers, evaluate(model, {&table}, fold.test, threads, asking)});
  }
  return done;
}

/// By number of clips heard, by fold.
using ScoredFolds = std::vector<std::vector<FoldPredictions>>;

void put(std::vector<FoldPredictions> by_heard, std::size_t fold, ScoredFolds& scored) {
  for (std::size_t i = 0; i < scored.size(); ++i) scored[i][fold] = std::move(by_heard.at(i));
}

/// Puts the folds that are kept where they belong. Returns the others.
std::vector<std::size_t> take_kept(const KeptFolds& kept, bool resume, ScoredFolds& scored,
                                   std::vector<LearningCurve>& curves) {
  std::vector<std::size_t> open;
  for (std::size_t k = 0; k < scored.at(0).size(); ++k) {
    std::optional<FoldDone> done = kept.read(k, scored.size(), resume);
    if (done) {
      put(std::move(done->by_heard), k, scored);
      std::ranges::move(done->curves, std::back_inserter(curves));
    } else {
      open.push_back(k);
    }
  }
  return open;
}

}  // namespace

CrossValidation cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                               const Recipe& recipe, std::uint64_t seed, int threads,
                               const FoldObserver& observer, const std::vector<int>& heard,
                               Team& team, const KeepFolds& keep) {
  check_listens(recipe.listening.enabled, heard);
  const std::vector<Fold> folds = make_folds(table.clips, scheme, seed);
  check_hears(table.clips, folds, heard);
  const KeptFolds kept(
      keep.folder, keep.folder.empty() ? "" : run_key(table, scheme.name(), recipe, seed, heard));
  ScoredFolds scored(heard.size(), std::vector<FoldPredictions>(folds.size()));
  std::vector<LearningCurve> known;
  const std::vector<std::size_t> open = take_kept(kept, keep.resume, scored, known);
  static_cast<void>(team.exchange(""));  // all have read before one writes
  LearningLog log;
  const FoldObserver observe = [&](int fold, const EpochReport& report) {
    log.add(fold, report);
    if (observer) observer(fold, report);
  };
  parallel_for_mine(team, open.size(), threads, [&](std::size_t i) {
    const std::size_t k = open[i];
    FoldDone done =
        validate_fold(table, folds[k], k, scheme, recipe, seed, threads, observe, heard);
    kept.write(k, done);
    put(std::move(done.by_heard), k, scored);
  });
  for (std::vector<FoldPredictions>& of_count : scored) share_folds(team, open, of_count);
  std::vector<LearningCurve> curves = share_curves(team, log.curves());
  std::ranges::move(known, std::back_inserter(curves));
  std::ranges::sort(curves, {}, [](const LearningCurve& c) { return std::pair(c.fold, c.member); });
  std::vector<ResultFile> results;
  for (std::size_t i = 0; i < heard.size(); ++i)
    results.push_back(make_result({emotion_labels(table.clips), scheme.name(), to_json(recipe),
                                   fingerprint(table.set), seed, heard[i]},
                                  std::move(scored[i])));
  return {with_more_heard(std::move(results)), std::move(curves)};
}

void LearningLog::add(int fold, const EpochReport& report) {
  const std::lock_guard lock(mutex_);
  epochs_[{fold, report.member}].push_back(report);
}

std::vector<LearningCurve> LearningLog::curves() const {
  const std::lock_guard lock(mutex_);
  std::vector<LearningCurve> curves;
  for (const auto& [network, epochs] : epochs_)
    curves.push_back({network.first, network.second, epochs});
  return curves;
}

}  // namespace ser
