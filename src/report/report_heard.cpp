#include <fmt/format.h>

#include <cmath>

#include "report/page/charts.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/eval/heard.h"

namespace ser::report {
namespace {

std::string name_of(const ResultFile& result) {
  return result.info.heard == 0 ? "a stranger's voice" : heard_text(result.info.heard) + " heard";
}

Row row_of(const ResultFile& result) {
  const double uar = result.scores.uar;
  return {name_of(result),
          dot(uar, {0, 1, "%"}, result.ci95 ? result.ci95->uar : Interval{}, std::nullopt),
          figure("heard-uar", uar, percent(uar))};
}

std::vector<std::string> cells_of(const ResultFile& result) {
  const Scores& scores = result.scores;
  return {heard_text(result.info.heard),
          percent(scores.uar),
          result.ci95 ? fmt::format("{:.1f} to {:.1f}", 100 * result.ci95->uar.low,
                                    100 * result.ci95->uar.high)
                      : "none",
          percent(scores.accuracy),
          std::isnan(scores.gender_accuracy) ? "" : percent(scores.gender_accuracy),
          fmt::format("{:.3f}", scores.ece)};
}

}  // namespace

std::string heard_section(const ResultFile& result) {
  std::vector<Row> rows;
  std::vector<std::vector<std::string>> cells;
  for (const ResultFile* one : by_heard(result)) {
    rows.push_back(row_of(*one));
    cells.push_back(cells_of(*one));
  }
  if (rows.empty()) return "";
  return section(
      "The more it hears of a voice",
      "Scores after other clips of the speaker were heard, without their labels, as many as stand "
      "there or all that there are. All other figures of this page are those of the first row.",
      side_by_side({figure_block("Unweighted average recall with its 95 % interval",
                                 row_list(rows, {0, 1, "%"})),
                    figure_block("All figures", table({"heard", "UAR", "95 % interval", "accuracy",
                                                       "gender", "calibration error"},
                                                      cells, 1))}));
}

}  // namespace ser::report
