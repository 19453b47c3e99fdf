#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/audio/waveform.h"
#include "ser/features/feature_set.h"
#include "ser/model/timeline.h"

namespace ser::report {

/// One axis: what it shows, with its unit, and the part of it that is seen.
struct PlotAxis {
  std::string label;
  double low = 0;
  double high = 1;
  std::vector<std::pair<double, std::string>> ticks;  ///< empty: chosen by the drawing program
};

/// Values on a plane, as colours. Row r stands at y_first + r * y_step, column c at
/// x_first + c * x_step; values beyond [low, high] have the colour of that end.
struct Heatmap {
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> values;
  double x_first = 0, x_step = 1;
  double y_first = 0, y_step = 1;
  double low = 0, high = 1;
  std::string label;  ///< of the colour bar, with its unit
};

/// A line through points; not-a-number breaks it. A name puts it into the panel's key.
struct PlotLine {
  std::string name;
  std::string colour;  ///< "#rrggbb"
  Eigen::VectorXf x, y;
  bool halo = false;  ///< drawn on a wider white line, to be seen on any colour
};

/// The area between two lines over the same x. A name puts it into the panel's key,
/// which stands beside the panel where it has more than two names.
struct PlotBand {
  std::string name;
  std::string colour;
  Eigen::VectorXf x, low, high;
};

/// A stretch of the x axis, shaded over the whole height.
struct PlotSpan {
  double begin = 0;
  double end = 0;
  std::string colour;
};

/// Words centred on a point.
struct PlotText {
  double x = 0, y = 0;
  std::string text;
};

/// One pair of axes and what is drawn in it: spans, then colours, bands, lines and words.
struct Panel {
  std::string title;
  PlotAxis x, y;
  std::vector<PlotSpan> spans;
  std::optional<Heatmap> heatmap;
  std::vector<PlotBand> bands;
  std::vector<PlotLine> lines;
  std::vector<PlotText> texts;
};

/// Panels of one size in rows under a title, filled row by row.
struct Picture {
  std::string title;
  int panels_per_row = 1;
  int panel_width = 800;  ///< pixels
  std::vector<Panel> panels;
};

enum class PictureFormat { kSvg, kPng };

/// Pixels a picture is wide and high.
struct PictureSize {
  int width = 0;
  int height = 0;
};
PictureSize size_of(const Picture& picture);

/// Pixels between the ends of a panel's x axis.
int axes_width(const Picture& picture);

/// Throws Error if gnuplot is missing.
void check_drawing();

/// The picture as the bytes of a file, drawn by gnuplot 5.4 or later, which is run as a program.
/// Words may hold anything: they reach gnuplot as plain text, characters that cannot be shown as
/// '?'. The bytes depend on the picture, and on gnuplot and its fonts, alone.
/// Throws Error if gnuplot is missing or fails.
std::string draw(const Picture& picture, PictureFormat format);

/// Pictures of a recording that can be asked for: sheet (all others on one page), waveform,
/// spectrogram, log_spectrogram, mel, mfcc, chroma, f0, centroid.
std::span<const std::string_view> picture_kinds();

/// Throws Error for no kinds, an unknown one, naming the nearest, and one that is there twice.
void check_picture_kinds(std::span<const std::string> kinds);

/// Pictures of a recording, one a kind. They show all of it, at the rate of the set where that is
/// lower than the recording's; the waveform has what the set cuts and trims away shaded.
/// However long the recording, a picture has a fixed number of columns: a column holds the mean
/// power of its frames, and the lowest and highest of its samples.
/// Throws Error as `check_picture_kinds` and `check_recording`.
std::vector<Picture> clip_pictures(const Waveform& wave, const FeatureSet& set,
                                   const std::string& title, std::span<const std::string> kinds);

/// Picture of a recording's timeline: its waveform with the segments named and coloured, and below
/// it the probabilities of the emotions, stacked, where there is speech. However long the
/// recording, the picture has a fixed number of columns; windows that share one are averaged.
/// reader: of the same recording, from its start; read to its end in flat memory.
/// emotions: names of the probabilities. Throws Error as AudioReader does.
Picture timeline_picture(AudioReader& reader, const Timeline& timeline,
                         const std::vector<std::string>& emotions, const std::string& title);

}  // namespace ser::report
