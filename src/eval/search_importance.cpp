#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/internal/json_io.h"
#include "ser/eval/search.h"

namespace ser {
namespace {

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
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
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
      if (!is_list) numbers.push_back(Json::parse(trial.values[f]).get<double>());
    }
    shares.push_back(scores.empty() ? 0
                     : is_list      ? variance_between(values, scores)
                                    : squared_rank_correlation(numbers, scores));
  }
  return shares;
}

}  // namespace ser
