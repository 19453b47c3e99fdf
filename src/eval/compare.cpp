#include "ser/eval/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/internal/fail.h"
#include "eval/internal/results.h"
#include "eval/jackknife.h"
#include "ser/core/rng.h"
#include "ser/core/text.h"

namespace ser {
namespace {

bool is_right(const Prediction& prediction, const std::vector<std::string>& labels) {
  return labels[most_likely(prediction.probabilities)] == prediction.emotion;
}

void check_same_classes(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a != b)
    fail("expected the same classes, found {} and {}", fmt::join(a, ","), fmt::join(b, ","));
}

constexpr std::size_t kMostExactUnits = 16;
constexpr int kDrawnFlips = 100000;
constexpr std::uint64_t kFlipSeed = 1;

/// Whether a sum is as far from zero as the one observed; equal sums differ by rounding.
bool as_extreme(double sum, double observed) { return std::abs(sum) >= std::abs(observed) - 1e-12; }

/// Share of all sign patterns whose sum is as extreme as that of `values`.
double exact_flips(const std::vector<double>& values, double observed) {
  const std::uint32_t patterns = std::uint32_t{1} << values.size();
  std::uint32_t extreme = 0;
  for (std::uint32_t pattern = 0; pattern < patterns; ++pattern) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += pattern >> i & 1 ? -values[i] : values[i];
    extreme += as_extreme(sum, observed);
  }
  return static_cast<double>(extreme) / patterns;
}

/// The same of patterns drawn at random, the one observed counted in (Phipson and Smyth 2010).
double drawn_flips(const std::vector<double>& values, double observed) {
  Rng rng(kFlipSeed, fnv1a("sign flips"));
  std::vector<std::uint32_t> coins((values.size() + 31) / 32);
  int extreme = 0;
  for (int draw = 0; draw < kDrawnFlips; ++draw) {
    rng.fill(coins);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += coins[i / 32] >> (i % 32) & 1 ? -values[i] : values[i];
    extreme += as_extreme(sum, observed);
  }
  return (extreme + 1.0) / (kDrawnFlips + 1.0);
}

/// The same for any order of the values, and with all their signs turned.
double sign_flip_p(std::vector<double> values) {
  const double observed = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value = std::abs(value);
  std::ranges::sort(values);
  return values.size() <= kMostExactUnits ? exact_flips(values, observed)
                                          : drawn_flips(values, observed);
}

/// What a right answer to a clip of each class adds to the unweighted average recall.
std::vector<double> worth_of_classes(const Scores& scores) {
  const auto present =
      std::ranges::count_if(scores.per_class, [](const ClassScore& c) { return c.support > 0; });
  std::vector<double> worth;
  for (const ClassScore& c : scores.per_class)
    worth.push_back(c.support > 0 ? 1 / static_cast<double>(c.support * present) : 0);
  return worth;
}

/// The difference without each of its parts, which sum to it.
std::vector<double> without_one(const std::vector<double>& parts) {
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  const double n = parts.size();
  std::vector<double> rest;
  for (const double part : parts) rest.push_back((sum - part) * n / (n - 1));
  return rest;
}

}  // namespace

Comparison compare(const ResultFile& a, const ResultFile& b) {
  const std::vector<std::string>& labels = a.info.labels;
  check_same_classes(labels, b.info.labels);
  const std::vector<const Prediction*> pairs = pair_up(a, b);
  const std::vector<std::size_t> truth = true_classes(labels, a.predictions);
  std::vector<bool> right_a, right_b;
  Comparison result;
  result.n = a.scores.n;
  result.accuracy_a = a.scores.accuracy;
  result.accuracy_b = b.scores.accuracy;
  result.uar_a = a.scores.uar;
  result.uar_b = b.scores.uar;
  result.uar_difference = result.uar_b - result.uar_a;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    right_a.push_back(is_right(a.predictions[i], labels));
    right_b.push_back(is_right(*pairs[i], b.info.labels));
    result.only_a_right += right_a[i] && !right_b[i];
    result.only_b_right += right_b[i] && !right_a[i];
  }

  const std::vector<double> worth = worth_of_classes(a.scores);
  std::vector<double> parts;  // of the difference, one a unit
  for (const std::vector<int>& unit : independent_units(a.predictions)) {
    double part = 0;
    for (const int i : unit) part += worth[truth[i]] * (right_b[i] - right_a[i]);
    parts.push_back(part);
  }
  result.units = parts.size();
  result.by_speaker = result.units == a.scores.per_speaker.size();
  result.sign_flip_p = sign_flip_p(parts);
  result.ci95_uar_difference = difference_interval(result.uar_difference, without_one(parts));
  return result;
}

}  // namespace ser
