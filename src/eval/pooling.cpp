#include "ser/eval/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "eval/internal/results.h"
#include "ser/core/text.h"

namespace ser {
namespace {

using ByFile = std::multimap<std::string, const Prediction*>;

/// Of several clips of one file name, that of the same speaker; a single one may be of a result
/// that names speakers otherwise.
ByFile::iterator find_clip(ByFile& by_file, const Prediction& wanted) {
  const auto [begin, end] = by_file.equal_range(wanted.file);
  if (begin == end) return by_file.end();
  if (std::next(begin) == end) return begin;
  const auto same =
      std::find_if(begin, end, [&](const auto& e) { return e.second->speaker == wanted.speaker; });
  return same == end ? by_file.end() : same;
}

void check_same(std::string_view what, const std::string& a, const std::string& b) {
  if (a != b) fail("expected the same {}, found {} and {}", what, a, b);
}

std::string labels_of(const ResultFile& result) { return join(result.info.labels, ","); }

/// How many clips the models heard, in every one of the scores.
std::string counts_heard(const ResultFile& result) {
  std::vector<std::string> counts;
  counts.push_back(heard_text(result.info.heard));
  for (const ResultFile& other : result.more_heard) counts.push_back(heard_text(other.info.heard));
  return join(counts, ",");
}

/// The files that each fold tests.
std::vector<std::multiset<std::string>> clips_by_fold(const ResultFile& result) {
  std::vector<std::multiset<std::string>> folds;
  auto next = result.predictions.begin();
  for (const FoldResult& fold : result.folds)
    for (folds.emplace_back(); std::ssize(folds.back()) < fold.scores.n; ++next)
      folds.back().insert(next->file);
  return folds;
}

/// Results of the same folds by different models.
void check_alike(const ResultFile& a, const ResultFile& b) {
  check_same("labels", labels_of(a), labels_of(b));
  check_same("split", a.info.split, b.info.split);
  check_same("number of clips heard", counts_heard(a), counts_heard(b));
  if (!std::ranges::equal(a.folds, b.folds, {}, &FoldResult::test_speakers,
                          &FoldResult::test_speakers))
    fail("expected the same speakers in every fold");
  if (clips_by_fold(a) != clips_by_fold(b)) fail("expected the same clips in every fold");
}

std::string fold_rule(const ResultFile& result) {
  return result.info.other_fold ? "folds that a model did not leave out"
                                : "folds that each model left out";
}

/// Results of different folds, made the same way.
void check_made_alike(const ResultFile& a, const ResultFile& b) {
  check_same("labels", labels_of(a), labels_of(b));
  check_same("split", a.info.split, b.info.split);
  check_same("features", a.info.fingerprint, b.info.fingerprint);
  check_same("seed", std::to_string(a.info.seed), std::to_string(b.info.seed));
  check_same("rule of folds", fold_rule(a), fold_rule(b));
  if (a.info.recipe != b.info.recipe) fail("expected the same recipe");
  check_same("number of clips heard", counts_heard(a), counts_heard(b));
}

/// A result's predictions, fold by fold.
std::vector<FoldPredictions> folds_of(const ResultFile& result) {
  std::vector<FoldPredictions> folds;
  auto next = result.predictions.begin();
  for (const FoldResult& fold : result.folds) {
    const auto end = next + fold.scores.n;
    folds.push_back({fold.fold, fold.test_speakers, {next, end}, fold.trained_on});
    next = end;
  }
  return folds;
}

/// The i-th of `more_heard` of each result.
std::vector<ResultFile> heard_alike(const std::vector<ResultFile>& results, std::size_t i) {
  std::vector<ResultFile> alike;
  for (const ResultFile& result : results) alike.push_back(result.more_heard.at(i));
  return alike;
}

/// Which of a model's answers are pooled with those of others, as its recipe says.
struct Pooled {
  bool emotions = true, genders = true;
};

Pooled pooled_of(const ResultFile& result) {
  if (result.info.recipe.empty()) return {};
  const Json recipe = parse_json(result.info.recipe, "recipe");
  const auto says = [&](const char* key) {
    const auto found = recipe.find(key);
    return found != recipe.end() && found->is_boolean() && found->get<bool>();
  };
  return {!says("gender_only"), !says("emotion_only")};
}

/// Adds log probabilities to `sums`. A class to which nobody gives anything, as a masked one, ends
/// at 0 again: see `soften`.
void add_logs(const std::vector<double>& probabilities, std::vector<double>& sums) {
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    sums[i] += std::log(std::max(kLeastProbability, probabilities[i]));
}

/// Softmax of sums of `count` logarithms / (count * temperature), in place.
void soften(std::vector<double>& values, double count, double temperature) {
  if (values.empty()) return;
  const double divisor = count * temperature;
  const double nothing = (1 - 1e-9) * count * std::log(kLeastProbability);  // but for rounding
  const double largest = *std::ranges::max_element(values);
  double sum = 0;
  for (double& value : values)
    sum += value = value > nothing ? std::exp((value - largest) / divisor) : 0;
  for (double& value : values) value /= sum;
}

std::string list_of_recipes(const std::vector<ResultFile>& results) {
  Json recipes = Json::array();
  for (const ResultFile& result : results)
    recipes.push_back(result.info.recipe.empty() ? Json()
                                                 : parse_json(result.info.recipe, "recipe"));
  return dump_text(Json{{"average", std::move(recipes)}});
}

std::string list_of_features(const std::vector<ResultFile>& results) {
  std::vector<std::string> names;
  for (const ResultFile& result : results)
    if (std::ranges::find(names, result.info.fingerprint) == names.end())
      names.push_back(result.info.fingerprint);
  return join(names, "+");
}

/// What any of the models was trained on, the ensemble was.
void add_trained_on(const ResultFile& result, std::vector<FoldPredictions>& folds) {
  for (std::size_t k = 0; k < folds.size(); ++k) {
    const TrainedOn& one = result.folds[k].trained_on;
    TrainedOn& all = folds[k].trained_on;
    all = {std::max(all.speakers, one.speakers), std::max(all.clips, one.clips),
           all.untold || one.untold};
  }
}

}  // namespace

std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b) {
  ByFile by_file;
  for (const Prediction& prediction : b.predictions) by_file.emplace(prediction.file, &prediction);
  std::vector<const Prediction*> pairs;
  for (const Prediction& prediction : a.predictions) {
    const auto found = find_clip(by_file, prediction);
    if (found == by_file.end())
      fail("expected the same clips, found {} in the first only", prediction.file);
    if (found->second->emotion != prediction.emotion)
      fail("{}: expected the same true emotion, found {} and {}", prediction.file,
           prediction.emotion, found->second->emotion);
    pairs.push_back(found->second);
    by_file.erase(found);
  }
  if (!by_file.empty())
    fail("expected the same clips, found {} in the second only", by_file.begin()->first);
  return pairs;
}

ResultFile merge_results(const std::vector<ResultFile>& results,
                         const std::vector<std::string>& names) {
  if (results.empty()) fail("expected results to merge, found none");
  std::vector<FoldPredictions> folds;
  std::map<ClipName, std::size_t> owner;  // of each clip
  std::map<int, std::size_t> made_by;     // of each fold
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string both = fmt::format("{} and {}", names[0], names[i]);
    with_context(both, [&] { check_made_alike(results[0], results[i]); });
    for (const Prediction& prediction : results[i].predictions)
      if (const auto [earlier, is_new] = owner.emplace(prediction.name(), i); !is_new)
        fail("{} and {}: expected different clips, found {} in both", names[earlier->second],
             names[i], prediction.file);
    for (FoldPredictions& fold : folds_of(results[i])) {
      if (const auto [earlier, is_new] = made_by.emplace(fold.fold, i); !is_new)
        fail("{} and {}: expected different folds, found fold {} in both", names[earlier->second],
             names[i], fold.fold);
      folds.push_back(std::move(fold));
    }
  }
  std::vector<ResultFile> counts = {make_result(results[0].info, std::move(folds))};
  for (std::size_t i = 0; i < results[0].more_heard.size(); ++i)
    counts.push_back(merge_results(heard_alike(results, i), names));
  return with_more_heard(std::move(counts));
}

ResultFile average_results(const std::vector<ResultFile>& results,
                           const std::vector<std::string>& names, double temperature) {
  if (results.empty()) fail("expected results to average, found none");
  if (!(temperature > 0)) fail("temperature: expected a number above 0, found {}", temperature);
  const ResultFile& first = results[0];
  std::vector<std::vector<const Prediction*>> said;
  std::vector<Pooled> pooled;
  for (const ResultFile& result : results) pooled.push_back(pooled_of(result));
  const auto emotions = std::ranges::count(pooled, true, &Pooled::emotions);
  if (emotions == 0) fail("expected results whose emotions count, found none");
  for (std::size_t i = 0; i < results.size(); ++i)
    with_context(fmt::format("{} and {}", names[0], names[i]), [&] {
      check_alike(first, results[i]);
      said.push_back(pair_up(first, results[i]));
    });
  ResultFile average = first;
  for (std::size_t n = 0; n < average.predictions.size(); ++n) {
    Prediction& all = average.predictions[n];
    std::ranges::fill(all.probabilities, 0);
    all.gender_probabilities.assign(kGenders.size(), 0);
    double genders = 0;
    for (std::size_t i = 0; i < said.size(); ++i) {
      const Prediction& one = *said[i][n];
      if (pooled[i].emotions) add_logs(one.probabilities, all.probabilities);
      if (!pooled[i].genders || one.gender_probabilities.empty()) continue;
      add_logs(one.gender_probabilities, all.gender_probabilities);
      ++genders;
    }
    soften(all.probabilities, static_cast<double>(emotions), temperature);
    if (genders > 0)
      soften(all.gender_probabilities, genders, 1);
    else
      all.gender_probabilities.clear();
  }
  ResultInfo info = first.info;
  info.recipe = list_of_recipes(results);
  info.fingerprint = list_of_features(results);
  info.other_fold =
      std::ranges::any_of(results, [](const ResultFile& r) { return r.info.other_fold; });
  std::vector<FoldPredictions> folds = folds_of(average);
  for (const ResultFile& result : results) add_trained_on(result, folds);
  std::vector<ResultFile> counts = {make_result(info, std::move(folds))};
  for (std::size_t i = 0; i < first.more_heard.size(); ++i)
    counts.push_back(average_results(heard_alike(results, i), names, temperature));
  return with_more_heard(std::move(counts));
}

}  // namespace ser
