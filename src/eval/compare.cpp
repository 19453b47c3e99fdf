#include "ser/eval/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/internal/bootstrap.h"
#include "eval/pairing.h"
#include "ser/core/error.h"

namespace ser {
namespace {

/// Index into `labels` of the class predicted by a model with labels of its own.
Eigen::Index predicted_class(const Prediction& prediction, const std::vector<std::string>& own,
                             const std::vector<std::string>& labels) {
  const std::string& name = own[most_likely(prediction.probabilities)];
  return std::find(labels.begin(), labels.end(), name) - labels.begin();
}

void check_same_classes(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a != b)
    throw Error(fmt::format("expected the same classes, found {} and {}", fmt::join(a, ","),
                            fmt::join(b, ",")));
}

/// Two-sided exact test that `few` and `many` come from a fair coin (McNemar 1947).
double mcnemar(std::int64_t few, std::int64_t many) {
  const auto n = static_cast<double>(few + many);
  double tail = 0;
  for (std::int64_t i = 0; i <= few; ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                     n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace

Comparison compare(const ResultFile& a, const ResultFile& b) {
  const std::vector<std::string>& labels = a.info.labels;
  check_same_classes(labels, b.info.labels);
  const std::vector<const Prediction*> pairs = pair_up(a, b);
  const std::vector<std::size_t> truth = true_classes(labels, a.predictions);
  std::vector<Eigen::Index> said_a, said_b;
  Comparison result;
  result.n = a.scores.n;
  result.accuracy_a = a.scores.accuracy;
  result.accuracy_b = b.scores.accuracy;
  result.uar_a = a.scores.uar;
  result.uar_b = b.scores.uar;
  result.uar_difference = result.uar_b - result.uar_a;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    said_a.push_back(predicted_class(a.predictions[i], labels, labels));
    said_b.push_back(predicted_class(*pairs[i], b.info.labels, labels));
    const bool right_a = said_a[i] == static_cast<Eigen::Index>(truth[i]);
    const bool right_b = said_b[i] == static_cast<Eigen::Index>(truth[i]);
    result.only_a_right += right_a && !right_b;
    result.only_b_right += right_b && !right_a;
  }
  result.mcnemar_p = mcnemar(std::min(result.only_a_right, result.only_b_right),
                             std::max(result.only_a_right, result.only_b_right));

  const auto units = resampling_units(a.predictions);
  std::vector<double> differences;
  Confusion of_a = a.scores.confusion, of_b = a.scores.confusion;
  bootstrap(units.size(), a.info.seed, [&](std::span<const int> drawn) {
    of_a.setZero();
    of_b.setZero();
    for (const int unit : drawn)
      for (const int clip : units[static_cast<std::size_t>(unit)]) {
        const auto i = static_cast<std::size_t>(clip);
        ++of_a(static_cast<Eigen::Index>(truth[i]), said_a[i]);
        ++of_b(static_cast<Eigen::Index>(truth[i]), said_b[i]);
      }
    differences.push_back(uar_of(of_b) - uar_of(of_a));
  });
  result.ci95_uar_difference = central_95(std::move(differences));
  return result;
}

}  // namespace ser
