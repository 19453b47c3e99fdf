#include "report/report_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/internal/json_io.h"
#include "report/page/charts.h"
#include "report/page/html.h"
#include "ser/core/error.h"
#include "ser/train/recipe.h"

namespace ser::report {
namespace {

/// What is drawn of an epoch, if it has it.
using Value = std::function<std::optional<double>(const EpochReport&)>;

constexpr std::size_t kMostLines = 40;

std::vector<Point> points_of(const LearningCurve& curve, const Value& value) {
  std::vector<Point> points;
  for (const EpochReport& epoch : curve.epochs)
    if (const std::optional<double> y = value(epoch))
      points.push_back({static_cast<double>(epoch.epoch), *y});
  return points;
}

/// Least, mean and greatest value of the networks that got as far as an epoch.
struct Pooled {
  std::vector<Point> least, mean, greatest;
};

Pooled pooled(const std::vector<std::vector<Point>>& curves) {
  std::map<double, std::vector<double>> by_epoch;
  for (const auto& curve : curves)
    for (const Point& point : curve) by_epoch[point.x].push_back(point.y);
  Pooled result;
  for (const auto& [epoch, values] : by_epoch) {
    double sum = 0;
    for (const double value : values) sum += value;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    result.least.push_back({epoch, *low});
    result.mean.push_back({epoch, sum / static_cast<double>(values.size())});
    result.greatest.push_back({epoch, *high});
  }
  return result;
}

std::string curve_title(const LearningCurve& curve, const std::vector<LearningCurve>& all) {
  std::string title = all.back().fold != all.front().fold ? fmt::format("fold {}", curve.fold) : "";
  const bool members = std::any_of(all.begin(), all.end(),
                                   [](const LearningCurve& other) { return other.member > 0; });
  if (members) title += fmt::format("{}network {}", title.empty() ? "" : ", ", curve.member + 1);
  return title;
}

/// Adds a quantity's curves to the chart: every network thin (or all of them as a band) and their
/// mean thick.
void add_curves(LineChart& chart, const std::vector<LearningCurve>& curves, const Value& value,
                const std::string& css_class, const std::string& name) {
  std::vector<std::vector<Point>> all;
  for (const LearningCurve& curve : curves) all.push_back(points_of(curve, value));
  const Pooled pool = pooled(all);
  if (pool.mean.empty()) return;
  if (curves.size() > kMostLines)
    chart.bands.push_back({thinned(pool.least), thinned(pool.greatest), css_class});
  else if (curves.size() > 1)
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!all[i].empty())
        chart.lines.push_back(
            {thinned(all[i]), css_class, name + ", " + curve_title(curves[i], curves)});
  chart.lines.push_back(
      {thinned(pool.mean), css_class + " mean", name + (curves.size() > 1 ? ", mean" : "")});
  for (const Point& point : pool.greatest) chart.y.high = std::max(chart.y.high, point.y);
  for (const Point& point : pool.least) chart.y.low = std::min(chart.y.low, point.y);
  chart.x.high = std::max(chart.x.high, pool.mean.back().x);
}

std::string drawn(LineChart chart) {
  if (chart.y.unit != "%") chart.y = rounded_scale(chart.y.low, chart.y.high, "");
  return line_chart(chart);
}

LineChart empty_chart(const LearningCurve& first, const std::string& name, Scale y) {
  const double start = first.epochs.front().epoch;
  return {name, "epoch", {start, start + 1, ""}, std::move(y), {}, {}};
}

std::string key(const std::string& css_class, const std::string& text) {
  return fmt::format(
      "<li><svg width=\"24\" height=\"10\" aria-hidden=\"true\"><path class=\"line mean {}\" "
      "d=\"M0 5h24\"/></svg>{}</li>",
      css_class, escape(text));
}

std::string learning_note(const std::vector<LearningCurve>& curves) {
  std::string note;
  if (curves.size() > kMostLines)
    note = fmt::format(
        "{} networks: the band spans all of them, the line is their mean. A network that stopped "
        "early counts as far as it got.",
        curves.size());
  else if (curves.size() > 1)
    note = fmt::format(
        "Thin lines are the {} networks, the thick one their mean. A network that stopped early "
        "counts as far as it got.",
        curves.size());
  const int first = curves.front().epochs.front().epoch;
  if (first > 1)
    note += fmt::format(" The run was resumed: the epochs before {} ran earlier and are not shown.",
                        first);
  return note;
}

/// The rates of the longest of the curves.
std::string rate_chart(const std::vector<LearningCurve>& curves) {
  LineChart rate = empty_chart(curves[0], "learning rate", {0, 1e-9, ""});
  const LearningCurve& longest =
      std::ranges::max(curves, {}, [](const LearningCurve& c) { return c.epochs.size(); });
  add_curves(
      rate, {longest}, [](const EpochReport& e) { return e.learning_rate; }, "", "learning rate");
  return drawn(std::move(rate));
}

/// A switch that is off, a number that is 0, nothing named, a choice left to the program.
bool is_off(const Json& value) {
  return value == Json(false) || (value.is_number() && value == 0) || value == Json("") ||
         value == Json("none") || value == Json("auto") || (value.is_structured() && value.empty());
}

/// The recipe without what is off and without groups of options that are as they are by default.
Json what_matters(const Json& value, const Json& defaults) {
  if (value.is_array()) {
    Json kept = Json::array();
    for (const Json& item : value)
      kept.push_back(item.is_object() ? what_matters(item, Json::object()) : item);
    return kept;
  }
  Json kept = Json::object();
  for (const auto& [key, item] : value.items()) {
    const auto usual = defaults.find(key);
    if (item.is_structured()) {
      if (usual != defaults.end() && item == *usual) continue;
      kept[key] = what_matters(item, usual == defaults.end() ? Json::object() : *usual);
    } else if (!is_off(item)) {
      kept[key] = item;
    }
  }
  return kept;
}

/// JSON with spaces, an object or list on one line where it fits.
std::string laid_out(const Json& json, std::size_t indent) {
  constexpr std::size_t kLine = 108;
  if (!json.is_structured() || json.empty()) return dump_text(json);
  const auto write = [&](const std::string& open, const std::string& separator,
                         const std::string& close) {
    std::string text = open;
    for (const auto& [key, value] : json.items()) {
      if (text.size() > open.size()) text += separator;
      if (json.is_object()) text += dump_text(key) + ": ";
      text += laid_out(value, indent + 2);
    }
    return text + close;
  };
  const bool object = json.is_object();
  std::string line = write(object ? "{" : "[", ", ", object ? "}" : "]");
  if (line.size() + indent <= kLine && line.find('\n') == std::string::npos) return line;
  const std::string inner(indent + 2, ' ');
  return write((object ? "{\n" : "[\n") + inner, ",\n" + inner,
               "\n" + std::string(indent, ' ') + (object ? "}" : "]"));
}

}  // namespace

std::string learning_section(const Report& report) {
  if (report.curves.empty())
    return section("Learning curves",
                   report.kind == ReportKind::kMerged || report.kind == ReportKind::kAveraged
                       ? "Result files hold no learning curves, so there are none to show."
                       : "The model was trained before: its file holds no learning curves.",
                   "");
  const std::vector<LearningCurve>& curves = report.curves;
  LineChart loss = empty_chart(curves[0], "loss", {0, 1e-9, ""});
  add_curves(
      loss, curves, [](const EpochReport& e) { return e.loss; }, "", "training");
  const std::size_t without = loss.lines.size();
  add_curves(
      loss, curves, [](const EpochReport& e) { return e.validation_loss; }, "second",
      "validation speakers");
  const bool validated = loss.lines.size() > without;
  std::string loss_key = key("", "training clips");
  if (validated) loss_key += key("second", "validation speakers");

  std::vector<std::string> blocks = {figure_block(
      "Loss", "<ul class=\"legend\">" + loss_key + "</ul>\n" + drawn(std::move(loss)))};
  if (validated) {
    LineChart accuracy = empty_chart(curves[0], "accuracy", {0, 1, "%"});
    add_curves(
        accuracy, curves, [](const EpochReport& e) { return e.validation_accuracy; }, "second",
        "validation speakers");
    blocks.push_back(figure_block("Accuracy on the validation speakers, %", drawn(accuracy)));
  }
  blocks.push_back(figure_block("Learning rate", rate_chart(curves)));
  std::string note = learning_note(curves);
  if (validated)
    note +=
        " The training loss is that of augmented clips and smoothed labels under dropout, where "
        "the recipe has them, so it may lie above the other.";
  else
    note += " No speakers were held out for validation: the recipe runs a fixed number of epochs.";
  return section("Learning curves", escape(note), side_by_side(blocks));
}

std::string readable_recipe(const std::string& recipe) {
  const Json json = parse_json(recipe, "recipe");
  try {
    Recipe known;
    options_from_json(json, known);
    return laid_out(what_matters(options_to_json(known), options_to_json(Recipe{})), 0);
  } catch (const Error&) {
    return laid_out(json, 0);
  }
}

std::string recipe_section(const std::string& recipe) {
  if (recipe.empty()) return "";
  return section(
      "Recipe",
      "Options that are off are left out, and groups of options that have their defaults.",
      "<pre>" + escape(readable_recipe(recipe)) + "</pre>\n");
}

}  // namespace ser::report
