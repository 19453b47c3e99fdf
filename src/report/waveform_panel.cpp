#include "report/waveform_panel.h"

#include <algorithm>

namespace ser::report {

Panel waveform_panel(const Envelope& shape, const PlotAxis& time, double unit_s, double headroom) {
  constexpr const char* kColour = "#31478f";
  const float peak = std::max(shape.high.maxCoeff(), -shape.low.minCoeff());
  const double reach = peak > 0 ? headroom * peak : 1;
  const Eigen::VectorXf times = shape.times_s / static_cast<float>(unit_s);
  Panel panel;
  panel.title = "Waveform";
  panel.x = time;
  panel.y = {"Amplitude (full scale 1)", -reach, reach, {}};
  panel.bands.push_back({"", kColour, times, shape.low, shape.high});
  panel.lines.push_back({"", kColour, times, shape.high});
  panel.lines.push_back({"", kColour, times, shape.low});
  return panel;
}

}  // namespace ser::report
