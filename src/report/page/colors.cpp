#include "report/page/colors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ser::report {
namespace {

/// Linear sRGB of an OKLab colour; outside [0, 1] where a screen cannot show it.
std::array<double, 3> linear_rgb(double lightness, double a, double b) {
  const auto cube = [](double x) { return x * x * x; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

int byte_of(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  const double encoded = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
  return static_cast<int>(std::lround(255 * encoded));
}

struct Theme {
  std::array<double, 3> class_lightness;  ///< neighbours differ, as hues alone are hard to tell
  double class_chroma;
  double ramp_from, ramp_to;  ///< lightness
  std::string_view fixed;     ///< the other colours
};

constexpr Theme kLight{{0.60, 0.48, 0.70},
                       0.15,
                       0.97,
                       0.40,
                       "--paper:#ffffff;--card:#f6f8fa;--ink:#1d232b;--muted:#5a6572;--line:#"
                       "d9dfe6;--on-ramp:#ffffff;--warn-paper:#fff4e0;--warn:#8a5a00;"};
constexpr Theme kDark{{0.76, 0.64, 0.86},
                      0.13,
                      0.24,
                      0.82,
                      "--paper:#14181d;--card:#1c2229;--ink:#e6eaef;--muted:#9aa6b3;--line:#343d47;"
                      "--on-ramp:#0d1117;--warn-paper:#33270d;--warn:#f0c36a;"};

std::string variables(const Theme& theme, std::size_t categories) {
  constexpr double kFirstHue = 25, kRampHue = 250, kRampChroma = 0.12;
  std::string css(theme.fixed);
  for (std::size_t i = 0; i < categories; ++i)
    css += fmt::format(
        "--class{}:{};", i,
        oklch(theme.class_lightness[i % (categories > 8 ? 3 : 2)], theme.class_chroma,
              kFirstHue + 360.0 * static_cast<double>(i) /
                              static_cast<double>(std::max<std::size_t>(categories, 1))));
  for (std::size_t i = 0; i < kRampShades; ++i) {
    const double share = static_cast<double>(i) / (kRampShades - 1);
    css += fmt::format("--ramp{}:{};", i,
                       oklch(std::lerp(theme.ramp_from, theme.ramp_to, share),
                             kRampChroma * std::min(1.0, 0.1 + 1.2 * share), kRampHue));
  }
  return css + fmt::format("--accent:{};--second:{};",
                           oklch(theme.class_lightness[0] - 0.05, 0.14, 250),
                           oklch(theme.class_lightness[0], 0.16, 45));
}

constexpr double kDarkest = 0.22, kLightest = 0.94;
constexpr double kFirstHueDegrees = 302, kLastHueDegrees = 104;
constexpr double kFirstChroma = 0.105, kLastChroma = 0.165, kChromaDip = 0.045;

}  // namespace

std::string oklch(double lightness, double chroma, double hue) {
  const double angle = hue * std::numbers::pi / 180;
  std::array<double, 3> rgb{};
  do {
    rgb = linear_rgb(lightness, chroma * std::cos(angle), chroma * std::sin(angle));
    chroma -= 0.005;
  } while (chroma > 0 &&
           std::any_of(rgb.begin(), rgb.end(), [](double x) { return x < -1e-4 || x > 1 + 1e-4; }));
  return fmt::format("#{:02x}{:02x}{:02x}", byte_of(rgb[0]), byte_of(rgb[1]), byte_of(rgb[2]));
}

std::string palette_css(std::size_t categories) {
  std::string css =
      fmt::format(":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
                  variables(kLight, categories), variables(kDark, categories));
  for (std::size_t i = 0; i < categories; ++i)
    css += fmt::format(".class{0}{{--mark:var(--class{0})}}\n", i);
  for (std::size_t i = 0; i < kRampShades; ++i)
    css += fmt::format(".ramp{0}{{background:var(--ramp{0}){1}}}\n", i,
                       i > kRampShades / 2 ? ";color:var(--on-ramp)" : "");
  return css;
}

std::vector<std::string> colour_map(int count) {
  std::vector<std::string> colours;
  for (int i = 0; i < count; ++i) {
    const double t = count > 1 ? static_cast<double>(i) / (count - 1) : 0;
    // A screen shows the blue-greens of the middle less saturated than the ends.
    const double chroma =
        std::lerp(kFirstChroma, kLastChroma, t) - kChromaDip * std::sin(std::numbers::pi * t);
    colours.push_back(oklch(std::lerp(kDarkest, kLightest, t), chroma,
                            std::lerp(kFirstHueDegrees, kLastHueDegrees, t)));
  }
  return colours;
}

}  // namespace ser::report
