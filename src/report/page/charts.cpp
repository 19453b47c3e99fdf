#include "report/page/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/page/html.h"

namespace ser::report {
namespace {

/// Shapes of equal area; categories take them in turn, so that colour is not all that tells them
/// apart.
constexpr std::array<std::string_view, 5> kShapes = {
    "<circle r=\"3.4\"/>", "<path d=\"M-3-3h6v6h-6z\"/>", "<path d=\"M0-4.6 4 2.6h-8z\"/>",
    "<path d=\"M0-4.3 4.3 0 0 4.3-4.3 0z\"/>", "<path d=\"M0 4.6 4-2.6h-8z\"/>"};

/// Where a chart's data stand in its picture, in pixels.
struct Plot {
  Scale x, y;
  double left = 62, top = 10, width = 420, height = 230;

  double at_x(double value) const { return left + width * (value - x.low) / (x.high - x.low); }
  double at_y(double value) const {
    return top + height * (1 - (value - y.low) / (y.high - y.low));
  }
};

constexpr double kBelow = 42, kBeside = 12;

std::string open_chart(const Plot& plot, const std::string& label) {
  return fmt::format(
      "<svg class=\"chart\" style=\"max-width:{0:.0f}px\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\" aria-label=\"{2}\">\n",
      plot.left + plot.width + kBeside, plot.top + plot.height + kBelow, escape(label));
}

std::string tick_label(double value, double step, const Scale& scale) {
  return scale.unit == "%" ? fmt::format("{:.0f}", 100 * value) : tick_text(value, step);
}

constexpr double kFinest = 1e-9;  // step of a scale, as a share of its values: below lies rounding

double step_of(const std::vector<double>& ticks) {
  return ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
}

/// Grid lines, numbers and names of both axes.
std::string axes(const Plot& plot, const std::string& x_label, const std::string& y_label,
                 int x_numbers = 6) {
  std::string svg;
  const auto x_ticks = round_ticks(plot.x.low, plot.x.high, x_numbers);
  const auto y_ticks = round_ticks(plot.y.low, plot.y.high, 5);
  const double bottom = plot.top + plot.height;
  for (const double tick : y_ticks)
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        plot.left, plot.left + plot.width, plot.at_y(tick), plot.at_y(tick), plot.left - 6,
        plot.at_y(tick) + 4, tick_label(tick, step_of(y_ticks), plot.y));
  for (const double tick : x_ticks)
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                       plot.at_x(tick), bottom + 16, tick_label(tick, step_of(x_ticks), plot.x));
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     plot.left + plot.width / 2, bottom + 35, escape(x_label));
  if (y_label.empty()) return svg;
  return svg + fmt::format(
                   "<text transform=\"translate(13 {:.1f}) rotate(-90)\" "
                   "text-anchor=\"middle\">{}</text>\n",
                   plot.top + plot.height / 2, escape(y_label));
}

std::string path(const Plot& plot, const std::vector<Point>& points) {
  std::string d;
  for (const Point& point : points)
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", plot.at_x(point.x),
                     plot.at_y(point.y));
  return d;
}

/// Share of the scale below `value`, in per cent.
double position(double value, const Scale& scale) {
  return 100 * std::clamp((value - scale.low) / (scale.high - scale.low), 0.0, 1.0);
}

std::string horizontal(std::string_view css_class, double from, double to) {
  return fmt::format("<line class=\"{}\" x1=\"{:.2f}%\" x2=\"{:.2f}%\" y1=\"50%\" y2=\"50%\"/>",
                     css_class, from, to);
}

std::string vertical(std::string_view css_class, double at, int from, int to) {
  return fmt::format(
      "<line class=\"{0}\" x1=\"{1:.2f}%\" x2=\"{1:.2f}%\" y1=\"{2}%\" y2=\"{3}%\"/>", css_class,
      at, from, to);
}

std::string whiskers(const Interval& interval, const Scale& scale) {
  if (std::isnan(interval.low)) return "";
  const double low = position(interval.low, scale), high = position(interval.high, scale);
  return horizontal("whisker", low, high) + vertical("whisker", low, 30, 70) +
         vertical("whisker", high, 30, 70);
}

std::string track(const std::string& content) {
  return "<svg class=\"track\" aria-hidden=\"true\">" + content + "</svg>";
}

std::string reference_line(const std::optional<double>& reference, const Scale& scale) {
  return reference ? vertical("reference", position(*reference, scale), 0, 100) : "";
}

/// Characters of UTF-8 text.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// Length of what a reader sees of HTML.
std::size_t seen_length(std::string_view html) {
  std::size_t length = 0;
  bool inside = false;
  for (const char c : html) {
    if (c == '<') inside = true;
    length += !inside && (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (c == '>') inside = false;
  }
  return length;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / std::max(1, wanted);
  if (!(rough > kFinest * std::max(std::abs(low), std::abs(high)))) return {low};
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 5.0})
    if (rough <= nice * power * 1.0001) {
      step = nice * power;
      break;
    }
  std::vector<double> ticks;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
    ticks.push_back(k == 0 ? 0 : k * step);  // never -0
  return ticks;
}

std::string tick_text(double value, double step) {
  if (value != 0 && std::abs(step) < 1e-4) return fmt::format("{:.3g}", value);
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  if (digits == 0) return grouped(std::llround(value));
  return fmt::format("{:.{}f}", value, digits);
}

Scale rounded_scale(double low, double high, std::string unit) {
  const double size = std::max(std::abs(low), std::abs(high));
  if (!(high - low > 10 * kFinest * size)) high = low + std::max(1.0, size / 100);
  const auto ticks = round_ticks(low, high, 5);
  const double step = step_of(ticks);
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step,
          std::move(unit)};
}

std::string bar(double value, const Scale& scale, const Interval& interval,
                std::optional<double> reference) {
  return track(fmt::format("<rect class=\"bar{}\" width=\"{:.2f}%\" y=\"12%\" height=\"76%\"/>",
                           std::isnan(interval.low) ? " plain" : "", position(value, scale)) +
               reference_line(reference, scale) + whiskers(interval, scale));
}

std::string dot(double value, const Scale& scale, const Interval& interval,
                std::optional<double> reference) {
  return track(horizontal("grid", 0, 100) + reference_line(reference, scale) +
               whiskers(interval, scale) +
               fmt::format("<circle class=\"dot\" cx=\"{:.2f}%\" cy=\"50%\" r=\"5\"/>",
                           position(value, scale)));
}

std::string box(const Spread& spread, const Scale& scale, std::string_view css_class) {
  const double quarter = position(spread.quarter, scale);
  const double three_quarters = position(spread.three_quarters, scale);
  return track(
      fmt::format("<g class=\"{}\">", css_class) +
      horizontal("whisker", position(spread.low, scale), position(spread.high, scale)) +
      fmt::format("<rect class=\"box\" x=\"{:.2f}%\" width=\"{:.2f}%\" y=\"15%\" height=\"70%\"/>",
                  quarter, three_quarters - quarter) +
      vertical("median", position(spread.median, scale), 10, 90) + "</g>");
}

std::string row_list(const std::vector<Row>& rows, const Scale& scale) {
  constexpr std::size_t kMany = 40, kLongestName = 22;
  std::size_t name = 4, said = 4;
  for (const Row& row : rows) {
    name = std::max(name, std::min(kLongestName, length_of(row.name) + 1));
    said = std::max(said, seen_length(row.said));
  }
  const bool many = rows.size() > kMany;
  std::string html = fmt::format("<ol class=\"rows{}\" style=\"--name:{}ch;--said:{}ch\">\n",
                                 many ? " many" : "", name, said + 1);
  for (const Row& row : rows)
    html += fmt::format("<li><span class=\"name\">{}</span>{}<span class=\"said\">{}</span></li>\n",
                        escape(row.name), row.track, row.said);
  if (!many) {
    std::string ticks;
    const auto values = round_ticks(scale.low, scale.high, 4);
    const std::string unit = scale.unit == "%" ? " %" : scale.unit;
    for (const double value : values)
      ticks += fmt::format("<text x=\"{:.2f}%\" y=\"12\" text-anchor=\"middle\">{}{}</text>",
                           position(value, scale), tick_label(value, step_of(values), scale),
                           value == values.back() ? unit : "");
    html += "<li><span></span><svg class=\"track axis\" aria-hidden=\"true\">" + ticks +
            "</svg><span></span></li>\n";
  }
  return html + "</ol>\n";
}

std::vector<Point> thinned(const std::vector<Point>& points) {
  constexpr std::size_t kMostPoints = 240;
  const std::size_t step = points.size() / kMostPoints + 1;
  std::vector<Point> kept;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % step == 0 || i + 1 == points.size()) kept.push_back(points[i]);
  return kept;
}

std::string line_chart(const LineChart& chart) {
  const Plot plot{chart.x, chart.y, 50};
  std::string svg = open_chart(plot, chart.name + " by " + chart.x_label) +
                    axes(plot, chart.x_label, "",
                         static_cast<int>(std::clamp(chart.x.high - chart.x.low, 1.0, 6.0)));
  for (const Band& band : chart.bands) {
    std::vector<Point> outline = band.low;
    outline.insert(outline.end(), band.high.rbegin(), band.high.rend());
    svg +=
        fmt::format("<path class=\"band {}\" d=\"{}z\"/>\n", band.css_class, path(plot, outline));
  }
  for (const Line& line : chart.lines)
    svg += fmt::format("<path class=\"line {}\" d=\"{}\"><title>{}</title></path>\n",
                       line.css_class, path(plot, line.points), escape(line.title));
  return svg + "</svg>\n";
}

std::string reliability_chart(std::span<const CalibrationBin> bins) {
  const Plot plot{kShare, kShare, 62, 10, 330, 330};
  std::string svg = open_chart(plot, "reliability diagram") +
                    axes(plot, "how sure the model was, %", "how often it was right, %");
  svg += fmt::format("<path class=\"ideal\" d=\"{}\"/>\n", path(plot, {{0, 0}, {1, 1}}));
  std::int64_t most = 1;
  for (const CalibrationBin& bin : bins) most = std::max(most, bin.n);
  std::string marks;
  std::vector<Point> line;
  for (const CalibrationBin& bin : bins) {
    if (bin.n == 0) continue;
    const double n = bin.n;
    const Point at{bin.confidence_sum / n, static_cast<double>(bin.right) / n};
    const Interval interval = wilson_95(bin.right, bin.n);
    line.push_back(at);
    marks += fmt::format(
        "<g class=\"class0\"><line class=\"grid\" style=\"stroke:var(--accent)\" x1=\"{0:.1f}\" "
        "x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/><circle fill=\"var(--accent)\" "
        "cx=\"{0:.1f}\" "
        "cy=\"{3:.1f}\" r=\"{4:.1f}\"><title>{5}: {6} right, {7} sure</title></circle></g>\n",
        plot.at_x(at.x), plot.at_y(interval.low), plot.at_y(interval.high), plot.at_y(at.y),
        3 + 6 * std::sqrt(n / static_cast<double>(most)), counted(bin.n, "clip"), percent(at.y),
        percent(at.x));
  }
  svg += fmt::format("<path class=\"line\" d=\"{}\"/>\n", path(plot, line));
  return svg + marks + "</svg>\n";
}

std::string swatch(std::size_t category) {
  return fmt::format(
      "<svg class=\"swatch\" width=\"12\" height=\"12\" viewBox=\"-6 -6 12 12\" "
      "aria-hidden=\"true\"><use href=\"#s{}\" class=\"mark class{}\"/></svg>",
      category % kShapes.size(), category);
}

std::string legend(const std::vector<std::string>& names) {
  std::string html = "<ul class=\"legend\">\n";
  for (std::size_t i = 0; i < names.size(); ++i)
    html += fmt::format("<li>{}{}</li>\n", swatch(i), escape(names[i]));
  return html + "</ul>\n";
}

std::string mark_shapes() {
  std::string svg = "<svg class=\"shapes\" aria-hidden=\"true\"><defs>";
  for (std::size_t i = 0; i < kShapes.size(); ++i)
    svg += fmt::format("<g id=\"s{}\">{}</g>", i, kShapes[i]);
  return svg + "</defs></svg>\n";
}

}  // namespace ser::report
