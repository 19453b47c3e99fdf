#include "ser/report/picture.h"

#include <algorithm>
#include <utility>

#include "report/column_analysis.h"
#include "report/page/colors.h"
#include "ser/core/most_likely.h"

namespace ser::report {
namespace {

constexpr int kPanelWidth = 1400;
constexpr std::size_t kMostCells = 1280;
constexpr double kLongS = 600;       // from here on, time is in minutes
constexpr double kLetterPixels = 9;  // room that a letter of a segment's name takes
constexpr const char* kNoSpeech = "#dedede";

/// The colour of emotion `index` of `count`: strong for probabilities, pale behind the waveform.
std::string colour(std::size_t index, std::size_t count, double lightness, double chroma) {
  constexpr double kFirstHueDegrees = 25;  // as in the reports
  return oklch(lightness, chroma, kFirstHueDegrees + 360 * static_cast<double>(index) / count);
}

/// Time as the axis counts it.
struct Clock {
  double duration_s = 0;

  bool minutes() const { return duration_s >= kLongS; }
  double operator()(double seconds) const { return minutes() ? seconds / 60 : seconds; }
  PlotAxis axis() const {
    return {minutes() ? "Time (min)" : "Time (s)", 0, (*this)(duration_s), {}};
  }
};

/// Windows that share a column: mean probabilities of those with speech; all 0 without any.
struct Cell {
  double start_s = 0;
  double end_s = 0;
  Eigen::VectorXd emotions;
};

/// Cells that touch half-way between the centres of windows and cover the recording.
std::vector<Cell> make_cells(const Timeline& timeline, std::size_t num_emotions) {
  const std::vector<TimelineWindow>& windows = timeline.windows;
  const auto centre = [&](std::size_t i) { return 0.5 * (windows[i].start_s + windows[i].end_s); };
  const std::size_t per_cell = (windows.size() + kMostCells - 1) / kMostCells;
  std::vector<Cell> cells;
  double start_s = 0;
  for (std::size_t begin = 0; begin < windows.size(); begin += per_cell) {
    const std::size_t end = std::min(windows.size(), begin + per_cell);
    Cell cell{start_s,
              end < windows.size() ? 0.5 * (centre(end - 1) + centre(end)) : timeline.duration_s,
              Eigen::VectorXd::Zero(static_cast<Eigen::Index>(num_emotions))};
    double spoken = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (windows[i].sound != Sound::kSpeech) continue;
      cell.emotions += windows[i].prediction.emotions;
      ++spoken;
    }
    if (spoken > 0) cell.emotions /= spoken;
    start_s = cell.end_s;
    cells.push_back(std::move(cell));
  }
  return cells;
}

/// One band an emotion, from the first at the bottom to the last at the top.
std::vector<PlotBand> stacked_bands(const std::vector<Cell>& cells,
                                    const std::vector<std::string>& emotions, const Clock& clock) {
  const Eigen::Index points = 2 * cells.size();
  std::vector<PlotBand> bands;
  Eigen::VectorXf below = Eigen::VectorXf::Zero(points);
  for (std::size_t e = 0; e < emotions.size(); ++e) {
    PlotBand band{emotions[e], colour(e, emotions.size(), 0.74, 0.13), Eigen::VectorXf(points),
                  below, below};
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const Eigen::Index at = 2 * c;
      band.x[at] = static_cast<float>(clock(cells[c].start_s));
      band.x[at + 1] = static_cast<float>(clock(cells[c].end_s));
      band.high.segment<2>(at).array() +=
          static_cast<float>(cells[c].emotions[static_cast<Eigen::Index>(e)]);
    }
    below = band.high;
    bands.push_back(std::move(band));
  }
  return bands;
}

void add_segments(Panel& panel, const Timeline& timeline, const std::vector<std::string>& emotions,
                  const Clock& clock, double axes_pixels) {
  for (const TimelineSegment& segment : timeline.segments) {
    if (segment.sound == Sound::kSilence) continue;
    const bool speech = segment.sound == Sound::kSpeech;
    const std::size_t emotion = speech ? most_likely(segment.prediction.emotions) : 0;
    const std::string name = speech ? emotions[emotion] : "no speech";
    panel.spans.push_back({clock(segment.start_s), clock(segment.end_s),
                           speech ? colour(emotion, emotions.size(), 0.91, 0.06) : kNoSpeech});
    const double share = (segment.end_s - segment.start_s) / timeline.duration_s;
    if (share * axes_pixels >= kLetterPixels * static_cast<double>(name.size()))
      panel.texts.push_back(
          {clock(0.5 * (segment.start_s + segment.end_s)), 0.9 * panel.y.high, name});
  }
}

}  // namespace

Picture timeline_picture(AudioReader& reader, const Timeline& timeline,
                         const std::vector<std::string>& emotions, const std::string& title) {
  const Clock clock{timeline.duration_s};
  Picture picture;
  picture.title = title;
  picture.panel_width = kPanelWidth;
  // The headroom is for the names of segments.
  Panel& waveform = picture.panels.emplace_back(waveform_panel(
      envelope(reader, timeline.duration_s), clock.axis(), clock.minutes() ? 60 : 1, 1.25));
  waveform.title = "Waveform and segments";
  add_segments(waveform, timeline, emotions, clock, axes_width(picture));
  Panel& probabilities = picture.panels.emplace_back();
  probabilities.title = "Probabilities of emotions";
  probabilities.x = clock.axis();
  probabilities.y = {"Probability", 0, 1, {}};
  probabilities.bands = stacked_bands(make_cells(timeline, emotions.size()), emotions, clock);
  return picture;
}

}  // namespace ser::report
