#include "ser/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <utility>

#include "core/internal/numbers.h"
#include "report/page/charts.h"
#include "report/page/html.h"
#include "report/report_sections.h"

namespace ser::report {
namespace {

constexpr std::size_t kMostTrials = 30;  // in the table

/// Trials from the best to the worst: by the last rung they reached, then by their score there.
std::vector<std::size_t> ranking(const SearchResult& result) {
  auto order = indices<std::size_t>(result.trials.size());
  const auto key = [&](std::size_t t) {
    const std::vector<double>& uar = result.trials[t].uar;
    return std::pair(-static_cast<double>(uar.size()), std::isnan(uar.back()) ? 1 : -uar.back());
  };
  std::ranges::stable_sort(order, {}, key);
  return order;
}

/// "optimizer.weight_decay" of "training.optimizer.weight_decay".
std::string short_name(const SearchField& field) {
  for (const std::string_view group : {"training.", "network."})
    if (field.path.starts_with(group)) return field.path.substr(group.size());
  return field.path;
}

std::string score_tiles(const SearchResult& result) {
  std::vector<Tile> list = {
      {"Best of the trials", share_figure("flattered-uar", result.flattered_uar),
       "UAR on the folds it was chosen by: flattered"},
      {"Trials",
       figure("trials", static_cast<double>(result.trials.size()),
              grouped(std::ssize(result.trials))),
       fmt::format("{:.0f} epochs of networks in all", result.network_epochs)}};
  if (result.nested) {
    const double uar = result.nested->scores.uar;
    const auto& ci = result.nested->ci95;
    list.insert(list.begin() + 1, {"Nested", share_figure("nested-uar", uar),
                                   ci ? "95 % interval " + range_text(ci->uar) : "no interval"});
  }
  return tiles(list);
}

std::string importance_section(const SearchResult& result) {
  const std::vector<double> shares = importance(result);
  auto order = indices<std::size_t>(shares.size());
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t f) { return shares[f]; });
  std::vector<Row> rows;
  rows.reserve(order.size());
  for (const std::size_t f : order)
    rows.push_back(
        {short_name(result.space.fields[f]), bar(shares[f], kShare), percent(shares[f])});
  return section("What mattered",
                 "How much of the scores of the first rung each field explains by itself: the "
                 "squared rank correlation of a range, the variance between the values of a list. "
                 "With few trials, chance explains some, too.",
                 row_list(rows, kShare));
}

/// The best score at each rung among the trials up to each.
LineChart best_so_far(const SearchResult& result) {
  LineChart chart{"Best score so far by trial", "trial", {0, 1, ""}, {}, {}, {}};
  chart.x.high = std::max<double>(1, static_cast<double>(result.trials.size()) - 1);
  for (std::size_t rung = 0; rung < result.epochs.size(); ++rung) {
    Line line{{},
              rung + 1 == result.epochs.size() ? "mean" : "",
              fmt::format("{} epochs", result.epochs[rung])};
    double best = -1;
    for (std::size_t t = 0; t < result.trials.size(); ++t) {
      const std::vector<double>& uar = result.trials[t].uar;
      if (uar.size() > rung && uar[rung] > best) best = uar[rung];
      if (best >= 0) line.points.push_back({static_cast<double>(t), best});
    }
    if (!line.points.empty()) chart.lines.push_back(std::move(line));
  }
  return chart;
}

/// The scores of every trial from rung to rung.
LineChart trials_by_epochs(const SearchResult& result) {
  LineChart chart{"Scores of the trials by epochs", "epochs", {0, 1, ""}, {}, {}, {}};
  chart.x = {static_cast<double>(result.epochs.front()), static_cast<double>(result.epochs.back()),
             ""};
  for (std::size_t t = 0; t < result.trials.size(); ++t) {
    Line line{{}, static_cast<int>(t) == result.best ? "mean" : "", fmt::format("trial {}", t)};
    const std::vector<double>& uar = result.trials[t].uar;
    for (std::size_t rung = 0; rung < uar.size(); ++rung)
      if (!std::isnan(uar[rung]))
        line.points.push_back({static_cast<double>(result.epochs[rung]), uar[rung]});
    if (line.points.size() > 1) chart.lines.push_back(std::move(line));
  }
  return chart;
}

std::string share_chart(LineChart chart) {
  double low = 1, high = 0;
  for (const Line& line : chart.lines)
    for (const Point& point : line.points) {
      low = std::min(low, point.y);
      high = std::max(high, point.y);
    }
  chart.y = low < high ? rounded_scale(low, high, "%") : kShare;
  return "<div>" + line_chart(chart) + "</div>\n";
}

std::string curves_section(const SearchResult& result) {
  std::string charts = share_chart(best_so_far(result));
  std::string said =
      "The best score among the trials up to each, a line a rung; the thick one is that of the "
      "last rung, trained in full.";
  if (result.epochs.size() > 1) {
    charts += share_chart(trials_by_epochs(result));
    said +=
        " Beside it, the scores of the trials that got past the first rung; the thick line is the "
        "best trial.";
  }
  return section("The best so far", said, "<div class=\"columns\">" + charts + "</div>\n");
}

std::string score_at(const TrialScore& trial, std::size_t rung) {
  if (rung >= trial.uar.size()) return "";
  return std::isnan(trial.uar[rung]) ? "failed" : percent(trial.uar[rung]);
}

std::string trials_section(const SearchResult& result) {
  std::vector<std::string> header = {"trial"};
  for (const int epochs : result.epochs) header.push_back(fmt::format("{} epochs", epochs));
  for (const SearchField& field : result.space.fields) header.push_back(escape(short_name(field)));
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t t : ranking(result)) {
    if (rows.size() == kMostTrials) break;
    std::vector<std::string> row = {std::to_string(t)};
    for (std::size_t rung = 0; rung < result.epochs.size(); ++rung)
      row.push_back(score_at(result.trials[t], rung));
    for (const std::string& value : result.trials[t].values) row.push_back(escape(value));
    rows.push_back(std::move(row));
  }
  return section("The best trials",
                 "Those that got furthest first. Epochs are those of the recipe searched around.",
                 table(header, rows, 0));
}

std::string outer_section(const SearchResult& result) {
  if (result.outer.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const OuterScore& fold : result.outer)
    rows.push_back({std::to_string(fold.fold), std::to_string(fold.best), percent(fold.inner_uar),
                    percent(fold.uar)});
  return section("Outer folds",
                 "For each, a search that never saw its speakers chose a trial; what that scored "
                 "when it was chosen, and on the fold.",
                 table({"fold", "trial chosen", "inner UAR", "UAR on the fold"}, rows, 0));
}

}  // namespace

std::string search_html(const SearchResult& result) {
  Page page;
  page.title = "Search for a recipe";
  page.kind = "Speech emotion recognition: search";
  page.lead =
      "<p class=\"lead\">" +
      escape(result.nested ? "The best of many trials looks better than it is. The nested score is "
                             "honest: no scored speaker had a part in any choice."
                           : "The best of many trials looks better than it is, and no outer folds "
                             "were asked for (--cv) that would tell by how much.") +
      "</p>\n";
  page.body = score_tiles(result) + importance_section(result) + curves_section(result) +
              trials_section(result) + outer_section(result) +
              recipe_section(to_json(result.recipe));
  page.json = search_json(result);
  return page_html(page);
}

}  // namespace ser::report
