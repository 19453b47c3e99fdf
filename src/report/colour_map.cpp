#include "report/colour_map.h"

#include <cmath>
#include <numbers>

#include "report/page/colors.h"

namespace ser::report {
namespace {

constexpr double kDarkest = 0.22, kLightest = 0.94;
constexpr double kFirstHueDegrees = 302, kLastHueDegrees = 104;
constexpr double kFirstChroma = 0.105, kLastChroma = 0.165, kChromaDip = 0.045;

}  // namespace

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
