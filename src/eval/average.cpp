#include "ser/eval/average.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/internal/json_io.h"
#include "eval/pairing.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr double kLeastProbability = 1e-12;

void check_alike(const ResultFile& a, const ResultFile& b) {
  if (a.info.labels != b.info.labels)
    throw Error(fmt::format("expected the same labels, found {} and {}",
                            fmt::join(a.info.labels, ","), fmt::join(b.info.labels, ",")));
  if (a.info.split != b.info.split)
    throw Error(
        fmt::format("expected the same split, found {} and {}", a.info.split, b.info.split));
  check_equally_heard(a, b);
  if (!std::ranges::equal(a.folds, b.folds, {}, &FoldResult::test_speakers,
                          &FoldResult::test_speakers))
    throw Error("expected the same speakers in every fold");
}

/// Adds log probabilities to `sums`; none where a model has no such head.
void add_logs(const std::vector<double>& probabilities, std::vector<double>& sums) {
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    sums[i] += std::log(std::max(kLeastProbability, probabilities[i]));
}

/// Softmax of values / divisor, in place.
void soften(std::vector<double>& values, double divisor) {
  if (values.empty()) return;
  const double largest = *std::ranges::max_element(values);
  double sum = 0;
  for (double& value : values) sum += value = std::exp((value - largest) / divisor);
  for (double& value : values) value /= sum;
}

std::string list_of_recipes(const std::vector<ResultFile>& results) {
  Json recipes = Json::array();
  for (const ResultFile& result : results)
    recipes.push_back(result.info.recipe.empty() ? Json()
                                                 : parse_json(result.info.recipe, "recipe"));
  return Json{{"average", std::move(recipes)}}.dump();
}

std::string list_of_features(const std::vector<ResultFile>& results) {
  std::vector<std::string> names;
  for (const ResultFile& result : results)
    if (std::ranges::find(names, result.info.fingerprint) == names.end())
      names.push_back(result.info.fingerprint);
  return fmt::format("{}", fmt::join(names, "+"));
}

/// What any of the models was trained on, the ensemble was.
void add_trained_on(const ResultFile& result, std::vector<FoldPredictions>& folds) {
  for (std::size_t k = 0; k < folds.size(); ++k) {
    const TrainedOn& one = result.folds[k].trained_on;
    TrainedOn& all = folds[k].trained_on;
    all = {std::max(all.speakers, one.speakers), std::max(all.clips, one.clips)};
  }
}

}  // namespace

ResultFile average_results(const std::vector<ResultFile>& results,
                           const std::vector<std::string>& names, double temperature) {
  if (results.empty()) throw Error("expected results to average, found none");
  if (!(temperature > 0))
    throw Error(fmt::format("temperature: expected a number above 0, found {}", temperature));
  const ResultFile& first = results[0];
  std::vector<std::vector<const Prediction*>> said;
  for (std::size_t i = 0; i < results.size(); ++i)
    with_context(fmt::format("{} and {}", names[0], names[i]), [&] {
      check_alike(first, results[i]);
      said.push_back(pair_up(first, results[i]));
    });
  ResultFile average = first;
  for (std::size_t n = 0; n < average.predictions.size(); ++n) {
    Prediction& pooled = average.predictions[n];
    std::ranges::fill(pooled.probabilities, 0);
    const bool genders = std::ranges::none_of(
        said, [&](const auto& one) { return one[n]->gender_probabilities.empty(); });
    pooled.gender_probabilities.assign(genders ? kGenders.size() : 0, 0);
    for (const auto& one : said) {
      add_logs(one[n]->probabilities, pooled.probabilities);
      if (genders) add_logs(one[n]->gender_probabilities, pooled.gender_probabilities);
    }
    const auto count = static_cast<double>(results.size());
    soften(pooled.probabilities, temperature * count);
    soften(pooled.gender_probabilities, count);
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
