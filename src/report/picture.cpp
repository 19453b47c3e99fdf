#include "ser/report/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/internal/fail.h"
#include "report/page/colors.h"
#include "report/page/html.h"
#include "report/run_program.h"

namespace ser::report {
namespace {

constexpr int kPanelHeight = 320;
constexpr int kLeft = 96, kRight = 122, kTop = 42, kBottom = 58;  // margins of a panel
constexpr int kTitleHeight = 44;
constexpr int kTitleAbove = 14, kLabelBelow = 46, kLabelLeft = 72;  // from the axes
constexpr int kBarRight = 14, kBarWidth = 28, kBarLabelRight = 98;
constexpr int kKeyRight = 6;
constexpr std::size_t kNamesAbove = 2;  // that fit above a panel
constexpr int kFontPixels = 14, kTitlePixels = 18;
constexpr double kPointsPerPixel = 0.75;  // pngcairo counts fonts in points at 96 a inch
constexpr int kColours = 128;
constexpr int kMostCharacters = 80;  // of a label
constexpr int kTitleLetterPixels = 10;
/// A gnuplot script under way: text, and the data of its plots inline.
class Script {
 public:
  template <typename... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
    text_ += '\n';
  }
  void data(const float* values, Eigen::Index count) {
    text_.append(reinterpret_cast<const char*>(values),
                 static_cast<std::size_t>(count) * sizeof(float));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Text in single quotes, in which gnuplot looks for nothing but the closing one. It misreads
/// doubled ones that touch each other, so that an apostrophe becomes the typographic one. "&#" gets
/// a zero-width space: the svg terminal takes "&#x" for an entity already.
std::string gnuplot_string(std::string_view text, int most_characters = kMostCharacters) {
  std::string result = "'";
  for (const char c : plain_text(text, static_cast<std::size_t>(most_characters))) {
    if (c == '#' && result.ends_with('&')) result += "\u200b";
    if (c == '\'')
      result += "\u2019";
    else
      result += c;
  }
  return result + "'";
}

std::string font(PictureFormat format, int pixels) {
  return format == PictureFormat::kSvg ? fmt::format("'sans-serif,{}'", pixels)
                                       : fmt::format("'sans,{}'", pixels * kPointsPerPixel);
}

void begin(Script& script, const Picture& picture, PictureFormat format) {
  const PictureSize size = size_of(picture);
  script.line("set encoding utf8");
  script.line("set terminal {} size {},{} noenhanced background '#ffffff' font {}",
              format == PictureFormat::kSvg ? "svg" : "pngcairo", size.width, size.height,
              font(format, kFontPixels));
  script.line("set multiplot");
  script.line("set label 1 {} at screen 0.5,{} center noenhanced font {}",
              gnuplot_string(picture.title, size.width / kTitleLetterPixels),
              1 - 0.55 * kTitleHeight / size.height, font(format, kTitlePixels));
}

/// The axes of a panel on the whole picture; gnuplot counts from its lower left corner, in [0, 1].
struct Frame {
  double left = 0, right = 0, bottom = 0, top = 0;
  double pixel_x = 0, pixel_y = 0;  ///< one pixel
};

Frame frame_of(const Picture& picture, std::size_t index) {
  const PictureSize size = size_of(picture);
  const int column = static_cast<int>(index) % picture.panels_per_row;
  const int row = static_cast<int>(index) / picture.panels_per_row;
  const double x = column * picture.panel_width, y = kTitleHeight + row * kPanelHeight;
  Frame frame;
  frame.pixel_x = 1.0 / size.width;
  frame.pixel_y = 1.0 / size.height;
  frame.left = (x + kLeft) * frame.pixel_x;
  frame.right = (x + picture.panel_width - kRight) * frame.pixel_x;
  frame.top = 1 - (y + kTop) * frame.pixel_y;
  frame.bottom = 1 - (y + kPanelHeight - kBottom) * frame.pixel_y;
  return frame;
}

std::size_t names_in_key(const Panel& panel) {
  const auto is_named = [](const auto& curve) { return !curve.name.empty(); };
  return static_cast<std::size_t>(std::count_if(panel.lines.begin(), panel.lines.end(), is_named) +
                                  std::count_if(panel.bands.begin(), panel.bands.end(), is_named));
}

/// Places everything by pixels: what the svg terminal believes of the size of letters is not so.
void place(Script& script, const Frame& frame, const Panel& panel) {
  const auto label = [&](const std::string& text, double x, double y, const char* how) {
    script.line("set label {} at screen {},{} {} noenhanced", gnuplot_string(text), x, y, how);
  };
  script.line("set lmargin at screen {}", frame.left);
  script.line("set rmargin at screen {}", frame.right);
  script.line("set bmargin at screen {}", frame.bottom);
  script.line("set tmargin at screen {}", frame.top);
  const double middle_x = (frame.left + frame.right) / 2, middle_y = (frame.bottom + frame.top) / 2;
  label(panel.title, frame.left, frame.top + kTitleAbove * frame.pixel_y, "left");
  label(panel.x.label, middle_x, frame.bottom - kLabelBelow * frame.pixel_y, "center");
  label(panel.y.label, frame.left - kLabelLeft * frame.pixel_x, middle_y, "center rotate by 90");
  if (names_in_key(panel) <= kNamesAbove)
    script.line("set key at screen {},{} right center horizontal samplen 2", frame.right,
                frame.top + kTitleAbove * frame.pixel_y);
  else
    script.line("set key at screen {},{} left top vertical Left reverse invert samplen 1",
                frame.right + kKeyRight * frame.pixel_x, frame.top);
  if (!panel.heatmap) return;
  script.line("set colorbox user origin screen {},screen {} size screen {},screen {}",
              frame.right + kBarRight * frame.pixel_x, frame.bottom, kBarWidth * frame.pixel_x,
              frame.top - frame.bottom);
  label(panel.heatmap->label, frame.right + kBarLabelRight * frame.pixel_x, middle_y,
        "center rotate by 90");
}

/// A tick's label is a format for its number.
std::string doubled_percents(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

void set_axis(Script& script, char name, const PlotAxis& axis) {
  script.line("set {}range [{}:{}]", name, axis.low, axis.high);
  if (axis.ticks.empty()) return;
  std::string ticks;
  for (const auto& [at, text] : axis.ticks)
    ticks += fmt::format("{}{} {}", ticks.empty() ? "" : ", ",
                         doubled_percents(gnuplot_string(text)), at);
  script.line("set {}tics ({})", name, ticks);
}

void set_palette(Script& script) {
  const std::vector<std::string> colours = colour_map(kColours);
  std::string steps;
  for (std::size_t i = 0; i < colours.size(); ++i)
    steps += fmt::format("{}{} '{}'", i ? ", " : "", i, colours[i]);
  script.line("set palette defined ({}) maxcolors {}", steps, kColours);
}

void set_up(Script& script, const Panel& panel) {
  script.line("set border lw 0.8 back");
  script.line("set tics out nomirror scale 0.7");
  set_axis(script, 'x', panel.x);
  set_axis(script, 'y', panel.y);
  for (const PlotSpan& span : panel.spans)
    script.line(
        "set object rectangle from {},graph 0 to {},graph 1 behind fillcolor rgb '{}' fillstyle "
        "solid noborder",
        span.begin, span.end, span.colour);
  for (const PlotText& text : panel.texts)
    script.line("set label {} at {},{} center noenhanced front", gnuplot_string(text.text), text.x,
                text.y);
  if (!panel.heatmap) return;
  script.line("set cbrange [{}:{}]", panel.heatmap->low, panel.heatmap->high);
  set_palette(script);
}

std::string key(const std::string& name) {
  return name.empty() ? "notitle" : fmt::format("title {} noenhanced", gnuplot_string(name));
}

std::string heatmap_command(const Heatmap& map) {
  return fmt::format(
      "'-' binary array=({},{}) format='%float32' origin=({},{}) dx={} dy={} with image notitle",
      map.values.cols(), map.values.rows(), map.x_first, map.y_first, map.x_step, map.y_step);
}

std::string points_command(Eigen::Index count, int columns) {
  return fmt::format("'-' binary record={} format='{}' using {}", count,
                     columns == 3 ? "%float32%float32%float32" : "%float32%float32",
                     columns == 3 ? "1:2:3" : "1:2");
}

/// Every curve of the panel as a part of one plot command, with its data in the same order.
struct Curves {
  std::vector<std::string> commands;
  std::vector<Eigen::MatrixXf> data;  ///< a column a point

  void add_line(const PlotLine& line, const std::string& style, const std::string& key) {
    commands.push_back(
        fmt::format("{} with lines {} {}", points_command(line.x.size(), 2), style, key));
    Eigen::MatrixXf& points = data.emplace_back(2, line.x.size());
    points << line.x.transpose(), line.y.transpose();
  }
  void add_band(const PlotBand& band) {
    commands.push_back(fmt::format("{} with filledcurves fillcolor rgb '{}' fillstyle solid {}",
                                   points_command(band.x.size(), 3), band.colour, key(band.name)));
    Eigen::MatrixXf& points = data.emplace_back(3, band.x.size());
    points << band.x.transpose(), band.low.transpose(), band.high.transpose();
  }
};

Curves curves_of(const Panel& panel) {
  Curves curves;
  for (const PlotBand& band : panel.bands) curves.add_band(band);
  for (const PlotLine& line : panel.lines) {
    if (line.halo) curves.add_line(line, "lw 4 lc rgb '#ffffff'", "notitle");
    curves.add_line(line, fmt::format("lw 1.8 lc rgb '{}'", line.colour), key(line.name));
  }
  return curves;
}

void plot(Script& script, const Panel& panel) {
  const Curves curves = curves_of(panel);
  std::string command;
  if (panel.heatmap) command = heatmap_command(*panel.heatmap);
  for (const std::string& curve : curves.commands) command += (command.empty() ? "" : ", ") + curve;
  script.line("plot {}", command.empty() ? "NaN notitle" : command);
  if (panel.heatmap) script.data(panel.heatmap->values.data(), panel.heatmap->values.size());
  for (const Eigen::MatrixXf& points : curves.data) script.data(points.data(), points.size());
}

std::string compose(const Picture& picture, PictureFormat format) {
  Script script;
  begin(script, picture, format);
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    place(script, frame_of(picture, i), picture.panels[i]);
    set_up(script, picture.panels[i]);
    plot(script, picture.panels[i]);
    script.line("reset");
  }
  script.line("unset multiplot");
  return script.text();
}

/// A file without gnuplot's name and version, with the title for readers of the screen, and with
/// colours that a viewer shows as the cells they are instead of blending them.
std::string finished(std::string svg, std::string_view title) {
  constexpr std::string_view kFirst = "<title>", kLast = "</desc>", kImage = "<image ";
  const std::size_t begin = svg.find(kFirst), end = svg.find(kLast, begin);
  if (begin != std::string::npos && end != std::string::npos)
    svg.replace(begin, end + kLast.size() - begin,
                fmt::format("<title>{}</title>", escape(plain_text(title))));
  for (std::size_t at = svg.find(kImage); at != std::string::npos; at = svg.find(kImage, at + 1))
    svg.insert(at + kImage.size(), "style='image-rendering:pixelated' ");
  return svg;
}

[[noreturn]] void missing() {
  fail(
      "drawing needs the program gnuplot: expected it in PATH, found none (Debian: apt-get install "
      "gnuplot-nox)");
}

}  // namespace

PictureSize size_of(const Picture& picture) {
  const int panels = picture.panels.size();
  const int rows = (panels + picture.panels_per_row - 1) / picture.panels_per_row;
  return {picture.panels_per_row * picture.panel_width, kTitleHeight + rows * kPanelHeight};
}

int axes_width(const Picture& picture) { return picture.panel_width - kLeft - kRight; }

void check_drawing() {
  if (!run_program({"gnuplot", "--version"}, "")) missing();
}

std::string draw(const Picture& picture, PictureFormat format) {
  const std::optional<ProgramRun> run =
      run_program({"gnuplot", "--default-settings"}, compose(picture, format));
  if (!run) missing();
  const bool whole = format == PictureFormat::kSvg ? run->out.find("</svg>") != std::string::npos
                                                   : run->out.starts_with("\x89PNG");
  if (run->exit_code != 0 || !whole)
    fail("gnuplot failed with exit code {}: {}", run->exit_code, plain_text(run->err));
  return format == PictureFormat::kSvg ? finished(run->out, picture.title) : run->out;
}

}  // namespace ser::report
