#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/page/charts.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/eval/certainty.h"

namespace ser::report {
namespace {

constexpr std::size_t kMostPoints = 240;

/// Share of answers kept, in percent, against the share of them that is right.
Point point_of(const KeptAnswers& answers, std::size_t all) {
  return {100 * static_cast<double>(answers.kept) / static_cast<double>(all), 1 - answers.risk()};
}

/// A point for each of some thresholds, the last of all answers.
std::vector<Point> points_of(const std::vector<KeptAnswers>& curve, std::size_t all) {
  const std::size_t step = curve.size() / kMostPoints + 1;
  std::vector<Point> points;
  for (std::size_t i = 0; i < curve.size(); ++i)
    if (i % step == 0 || i + 1 == curve.size()) points.push_back(point_of(curve[i], all));
  return points;
}

}  // namespace

std::string certainty_section(const ResultFile& result) {
  const std::vector<KeptAnswers> curve = risk_coverage(result.info.labels, result.predictions);
  if (curve.empty()) return "";
  const KeptAnswers sure = kept_at_risk(curve);
  const Point at = point_of(sure, result.predictions.size());
  const std::vector<Point> points = points_of(curve, result.predictions.size());
  const double lowest = std::ranges::min(points, {}, &Point::y).y;
  const double low = std::floor(10 * lowest) / 10;
  LineChart chart{"share of right answers", "answers kept, %", {0, 100, ""}, {low, 1, "%"}, {}, {}};
  if (sure.kept > 0) chart.lines.push_back({{{at.x, low}, {at.x, at.y}}, "", "share kept"});
  chart.lines.push_back({points, "mean", "right answers among those kept"});
  return section(
      "Which answers are sure?",
      fmt::format(
          "With at most {} wrong among the answers that stay, those below {} are uncertain: "
          "{} of the answers stay. The curve shows the same for every threshold, from the "
          "surest answers alone, on the left, to all of them.",
          percent(kAllowedRisk), figure("uncertain-below", sure.from, percent(sure.from)),
          figure("kept", at.x / 100, percent(at.x / 100))),
      line_chart(chart));
}

}  // namespace ser::report
