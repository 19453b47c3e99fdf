#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ser/eval/metrics.h"

namespace ser::report {

/// Round values between low and high, about `wanted` of them.
std::vector<double> round_ticks(double low, double high, int wanted);
/// The digits that tell ticks apart: "0.05", "1,000".
std::string tick_text(double value, double step);

/// A range of values along an axis.
struct Scale {
  double low = 0;
  double high = 1;
  std::string unit;  ///< after the numbers: " s"; "%" shows shares as percent
};

inline const Scale kShare{0, 1, "%"};

/// Down to `low` and up to `high`, rounded outwards to the next ticks.
Scale rounded_scale(double low, double high, std::string unit);

/// A line of a list: a name, a bar or box on a scale, and what it says in words.
struct Row {
  std::string name;   ///< text
  std::string track;  ///< SVG of `bar` or `box`
  std::string said;   ///< HTML
};

/// A bar from 0, with the interval drawn over it where there is one, and a mark at `reference`.
std::string bar(double value, const Scale& scale, const Interval& interval = {},
                std::optional<double> reference = {});

/// Five numbers of a distribution.
struct Spread {
  double low = 0, quarter = 0, median = 0, three_quarters = 0, high = 0;
};
/// A box from quarter to quarter with its median; lines to low and high.
std::string box(const Spread& spread, const Scale& scale, std::string_view css_class);

/// A point with its interval.
std::string dot(double value, const Scale& scale, const Interval& interval,
                std::optional<double> reference);

/// Rows under each other over a common axis. Many go into several columns.
std::string row_list(const std::vector<Row>& rows, const Scale& scale);

struct Point {
  double x = 0, y = 0;
};
struct Line {
  std::vector<Point> points;
  std::string css_class;  ///< "", "mean", "second", ...
  std::string title;      ///< text shown on hover; may be empty
};
/// The space between two lines.
struct Band {
  std::vector<Point> low, high;
  std::string css_class;
};
/// Points at even steps and the last, no more than can be seen.
std::vector<Point> thinned(const std::vector<Point>& points);

/// Lines over a quantity that is counted in whole numbers.
struct LineChart {
  std::string name;     ///< text, for whoever hears the page
  std::string x_label;  ///< text
  Scale x, y;
  std::vector<Band> bands;
  std::vector<Line> lines;
};
std::string line_chart(const LineChart& chart);

/// How often answers are right against how sure they are.
std::string reliability_chart(std::span<const CalibrationBin> bins);

/// Names of the categories beside their marks.
std::string legend(const std::vector<std::string>& names);
/// The mark of a category, to stand in a line of text.
std::string swatch(std::size_t category);
/// The shapes that marks refer to: once a page.
std::string mark_shapes();

}  // namespace ser::report
