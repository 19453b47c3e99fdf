#include "ser/report/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/internal/fail.h"
#include "report/column_analysis.h"
#include "ser/audio/resample.h"
#include "ser/core/text.h"
#include "ser/features/chroma.h"
#include "ser/features/functionals.h"
#include "ser/features/mel.h"
#include "ser/features/mfcc.h"
#include "ser/features/spectral.h"

namespace ser::report {
namespace {

using Eigen::Index;

constexpr double kWindowS = 0.032;        // tells syllables and, in most voices, harmonics apart
constexpr double kNarrowWindowS = 0.064;  // tells harmonics of the lowest voices apart
constexpr double kChromaWindowS = 0.128;  // tells semitones apart, from 150 Hz on
constexpr float kRangeDb = 80;
constexpr Index kMostRows = 320;
constexpr int kMelBands = 64, kCoefficients = 20;
constexpr double kLowestLogHz = 50;
constexpr double kHighestPitchHz = 1000;
constexpr float kQuietDb = 50;  // frames this far below the loudest have no centroid to speak of
constexpr const char* kShade = "#e3e3e3";
constexpr const char* kRed = "#e8262a";
constexpr const char* kOrange = "#ff9d2e";
constexpr const char* kLevelLabel = "Level (dB re maximum)";

/// What the panels of one recording share, each part computed when it is first asked for.
class Clip {
 public:
  Clip(const Waveform& wave, const FeatureSet& set) : set_(set) {
    const bool lower = set.sample_rate_hz > 0 && set.sample_rate_hz < wave.sample_rate_hz;
    wave_ = lower ? resample(wave, set.sample_rate_hz) : wave;
    heard_ = cleaned(wave, set);
    const SampleRange kept = kept_range(heard_, set);
    kept_begin_s_ = static_cast<double>(kept.begin) / heard_.sample_rate_hz;
    kept_end_s_ = static_cast<double>(kept.end) / heard_.sample_rate_hz;
  }

  const Waveform& wave() const { return wave_; }
  /// Without what the set cleans away.
  const Waveform& heard() const { return heard_; }
  const FeatureSet& set() const { return set_; }
  double kept_begin_s() const { return kept_begin_s_; }
  double kept_end_s() const { return kept_end_s_; }
  double highest_hz() const { return 0.5 * wave_.sample_rate_hz; }
  const ColumnSpectrum& spectrum(double window_s) {
    const auto found = spectra_.find(window_s);
    if (found != spectra_.end()) return found->second;
    return spectra_.emplace(window_s, column_spectrum(wave_, window_s)).first->second;
  }

 private:
  const FeatureSet& set_;
  Waveform wave_, heard_;
  double kept_begin_s_ = 0, kept_end_s_ = 0;
  std::map<double, ColumnSpectrum> spectra_;
};

PlotAxis time_axis(const Clip& clip) { return {"Time (s)", 0, clip.wave().duration_s(), {}}; }

/// Decibels below the largest value, down to -kRangeDb; silence is at the bottom throughout.
FrameMatrix below_maximum_db(const FrameMatrix& power) {
  const float largest = power.maxCoeff();
  if (!(largest > 0)) return FrameMatrix::Constant(power.rows(), power.cols(), -kRangeDb);
  return (power.array() / largest).max(std::pow(10.0f, -kRangeDb / 10)).log10() * 10;
}

/// A heatmap of values in the columns of a spectrum.
Heatmap heatmap(const ColumnSpectrum& spectrum, FrameMatrix values, float low, float high,
                std::string label) {
  return {.values = std::move(values),
          .x_first = spectrum.first_s,
          .x_step = spectrum.column_s,
          .low = low,
          .high = high,
          .label = std::move(label)};
}

Heatmap level_map(const ColumnSpectrum& spectrum, FrameMatrix level_db) {
  return heatmap(spectrum, std::move(level_db), -kRangeDb, 0, kLevelLabel);
}

/// A panel of a heatmap over the clip's time; its lowest row stands at `y_first`.
Panel heat_panel(const Clip& clip, std::string title, PlotAxis y, Heatmap map, double y_first = 0,
                 double y_step = 1) {
  map.y_first = y_first;
  map.y_step = y_step;
  Panel panel;
  panel.title = std::move(title);
  panel.x = time_axis(clip);
  panel.y = std::move(y);
  panel.heatmap = std::move(map);
  return panel;
}

/// The lowest `rows` rows, the largest of `per_row` neighbours in each.
FrameMatrix largest_of(const FrameMatrix& values, Index rows, Index per_row) {
  FrameMatrix result((rows + per_row - 1) / per_row, values.cols());
  for (Index r = 0; r < result.rows(); ++r)
    result.row(r) =
        values.middleRows(r * per_row, std::min(per_row, rows - r * per_row)).colwise().maxCoeff();
  return result;
}

/// Levels over a linear frequency axis from 0 to `high_hz`.
Panel linear_panel(const ColumnSpectrum& spectrum, const Clip& clip, double high_hz,
                   std::string title) {
  const Index bins = std::min<Index>(spectrum.power.rows(),
                                     static_cast<Index>(std::ceil(high_hz / spectrum.bin_hz)) + 1);
  const Index per_row = (bins + kMostRows - 1) / kMostRows;
  return heat_panel(
      clip, std::move(title), {"Frequency (Hz)", 0, high_hz, {}},
      level_map(spectrum, below_maximum_db(largest_of(spectrum.power, bins, per_row))),
      0.5 * static_cast<double>(per_row - 1) * spectrum.bin_hz,
      static_cast<double>(per_row) * spectrum.bin_hz);
}

/// Frequencies that stand at an axis whose position for a frequency is `at(hz)`.
template <typename At>
std::vector<std::pair<double, std::string>> frequency_ticks(double low_hz, double high_hz,
                                                            const At& at) {
  std::vector<std::pair<double, std::string>> ticks;
  for (const double hz : {50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0,
                          32000.0, 64000.0, 128000.0})
    if (hz >= low_hz && hz <= high_hz) ticks.emplace_back(at(hz), fmt::format("{}", hz));
  return ticks;
}

Panel wave_panel(Clip& clip) {
  Panel panel = waveform_panel(envelope(clip.wave()), time_axis(clip), 1, 1.08);
  const double duration_s = clip.wave().duration_s();
  if (clip.kept_begin_s() > 0) panel.spans.push_back({0, clip.kept_begin_s(), kShade});
  if (clip.kept_end_s() < duration_s)
    panel.spans.push_back({clip.kept_end_s(), duration_s, kShade});
  if (!panel.spans.empty()) panel.title += " (grey: trimmed)";
  return panel;
}

Panel spectrogram_panel(Clip& clip) {
  return linear_panel(clip.spectrum(kWindowS), clip, clip.highest_hz(), "Spectrogram");
}

/// Levels at frequencies of equal ratio: the largest of the bins that a row covers, or, between
/// bins, the line from one to the next.
FrameMatrix log_frequency_rows(const FrameMatrix& level_db, double bin_hz, double low_hz,
                               double high_hz, Index rows) {
  FrameMatrix result(rows, level_db.cols());
  const double ratio = std::pow(high_hz / low_hz, 1.0 / static_cast<double>(rows - 1));
  for (Index r = 0; r < rows; ++r) {
    const double bin = low_hz * std::pow(ratio, static_cast<double>(r)) / bin_hz;
    const auto first = static_cast<Index>(std::ceil(bin / std::sqrt(ratio)));
    const auto last = std::min(level_db.rows() - 1, static_cast<Index>(bin * std::sqrt(ratio)));
    if (first < last) {
      result.row(r) = level_db.middleRows(first, last - first + 1).colwise().maxCoeff();
      continue;
    }
    const auto below = std::min(level_db.rows() - 2, static_cast<Index>(bin));
    const auto share = static_cast<float>(bin - static_cast<double>(below));
    result.row(r) = (1 - share) * level_db.row(below) + share * level_db.row(below + 1);
  }
  return result;
}

Panel log_spectrogram_panel(Clip& clip) {
  constexpr Index kRows = 256;
  const ColumnSpectrum& spectrum = clip.spectrum(kNarrowWindowS);
  const double low_hz = kLowestLogHz, high_hz = clip.highest_hz();
  // Drawn over log2(Hz): gnuplot draws images on linear axes alone.
  const double low = std::log2(low_hz), high = std::log2(high_hz);
  return heat_panel(
      clip, "Spectrogram, logarithmic frequency",
      {"Frequency (Hz)", low, high,
       frequency_ticks(low_hz, high_hz, [](double hz) { return std::log2(hz); })},
      level_map(spectrum, log_frequency_rows(below_maximum_db(spectrum.power), spectrum.bin_hz,
                                             low_hz, high_hz, kRows)),
      low, (high - low) / (kRows - 1));
}

FrameMatrix mel_power(const ColumnSpectrum& spectrum, const Clip& clip) {
  MelOptions options;
  options.stft.fft_size = spectrum.fft_size;
  options.num_bands = kMelBands;
  return mel_spectrogram(spectrum.power, options, clip.wave().sample_rate_hz);
}

Panel mel_panel(Clip& clip) {
  const ColumnSpectrum& spectrum = clip.spectrum(kWindowS);
  const double bands_per_mel = (kMelBands + 1) / hz_to_mel(clip.highest_hz(), MelScale::kSlaney);
  const auto band_of = [&](double hz) {
    return hz_to_mel(hz, MelScale::kSlaney) * bands_per_mel - 1;
  };
  return heat_panel(clip, fmt::format("Mel spectrogram, {} bands", kMelBands),
                    {"Frequency (Hz, mel scale)", -0.5, kMelBands - 0.5,
                     frequency_ticks(200, clip.highest_hz(), band_of)},
                    level_map(spectrum, below_maximum_db(mel_power(spectrum, clip))));
}

/// The magnitude that all but a share `above` of the values stay below, at least 1.
float usual_magnitude(const FrameMatrix& values, double above) {
  return std::max(1.0f, static_cast<float>(
                            quantile_of(values.reshaped().cast<double>().cwiseAbs(), 1 - above)));
}

Panel mfcc_panel(Clip& clip) {
  const ColumnSpectrum& spectrum = clip.spectrum(kWindowS);
  const FrameMatrix all = mfcc(power_to_db(mel_power(spectrum, clip)), kCoefficients);
  // Coefficient 0, the level, is far larger than the others and would leave them one colour.
  const FrameMatrix shown = all.bottomRows(kCoefficients - 1);
  const float limit = usual_magnitude(shown, 0.02);
  PlotAxis y{"Coefficient", 0.5, kCoefficients - 0.5, {}};
  for (int i = 1; i < kCoefficients; i += 3) y.ticks.emplace_back(i, fmt::format("{}", i));
  return heat_panel(clip, fmt::format("MFCC 1 to {}", kCoefficients - 1), std::move(y),
                    heatmap(spectrum, shown, -limit, limit, "Value (dB)"), 1);
}

Panel chroma_panel(Clip& clip) {
  constexpr std::array<const char*, kPitchClasses> kNames = {"C",  "C#", "D",  "D#", "E",  "F",
                                                             "F#", "G",  "G#", "A",  "A#", "B"};
  const ColumnSpectrum& spectrum = clip.spectrum(kChromaWindowS);
  const int rate = clip.wave().sample_rate_hz;
  const double tuning = estimate_tuning(spectrum.power, spectrum.fft_size, rate);
  PlotAxis y{"Pitch class", -0.5, kPitchClasses - 0.5, {}};
  for (int i = 0; i < kPitchClasses; ++i) y.ticks.emplace_back(i, kNames[i]);
  return heat_panel(
      clip, "Chroma", std::move(y),
      heatmap(spectrum, chroma(spectrum.power, chroma_filterbank(spectrum.fft_size, rate, tuning)),
              0, 1, "Share of strongest class"));
}

Panel f0_panel(Clip& clip) {
  Panel panel = linear_panel(clip.spectrum(kNarrowWindowS), clip,
                             std::min(kHighestPitchHz, clip.highest_hz()), "Fundamental frequency");
  const ColumnPitch pitch = column_pitch(clip.heard());
  const bool voiced = !pitch.hz.array().isNaN().all();
  panel.lines.push_back({voiced ? "F0" : "F0: none", kRed, pitch.times_s, pitch.hz, true});
  return panel;
}

Panel centroid_panel(Clip& clip) {
  const ColumnSpectrum& spectrum = clip.spectrum(kWindowS);
  const FrameMatrix magnitude = spectrum.power.cwiseSqrt();
  const Eigen::RowVectorXf level = spectrum.power.colwise().sum();
  const float quiet = level.maxCoeff() * std::pow(10.0f, -kQuietDb / 10);
  const Eigen::VectorXf times_s = Eigen::VectorXf::LinSpaced(
      magnitude.cols(), static_cast<float>(spectrum.first_s),
      static_cast<float>(spectrum.first_s +
                         spectrum.column_s * static_cast<double>(magnitude.cols() - 1)));
  const auto audible = [&](const FrameMatrix& row) {
    return Eigen::VectorXf((level.array() > quiet)
                               .select(row.array(), std::numeric_limits<float>::quiet_NaN())
                               .matrix()
                               .transpose());
  };
  Panel panel = linear_panel(spectrum, clip, clip.highest_hz(), "Spectral centroid and roll-off");
  const double share = RolloffOptions{}.share;
  panel.lines.push_back({fmt::format("roll-off ({:.0f} %)", 100 * share), kOrange, times_s,
                         audible(spectral_rolloff(magnitude, spectrum.bin_hz, share)), true});
  panel.lines.push_back(
      {"centroid", kRed, times_s, audible(spectral_centroid(magnitude, spectrum.bin_hz)), true});
  return panel;
}

struct PanelKind {
  std::string_view name;
  Panel (*make)(Clip&);
};

constexpr std::array<PanelKind, 8> kPanels = {{
    {"waveform", wave_panel},
    {"spectrogram", spectrogram_panel},
    {"log_spectrogram", log_spectrogram_panel},
    {"mel", mel_panel},
    {"mfcc", mfcc_panel},
    {"chroma", chroma_panel},
    {"f0", f0_panel},
    {"centroid", centroid_panel},
}};
constexpr std::string_view kSheet = "sheet";  // all of them on one page

std::vector<Panel> panels_of(const std::string& kind, Clip& clip) {
  std::vector<Panel> panels;
  for (const PanelKind& known : kPanels)
    if (kind == kSheet || kind == known.name) panels.push_back(known.make(clip));
  return panels;
}

}  // namespace

std::span<const std::string_view> picture_kinds() {
  static const auto kKinds = [] {
    std::array<std::string_view, kPanels.size() + 1> kinds = {kSheet};
    std::transform(kPanels.begin(), kPanels.end(), kinds.begin() + 1,
                   [](const PanelKind& panel) { return panel.name; });
    return kinds;
  }();
  return kKinds;
}

void check_picture_kinds(std::span<const std::string> kinds) {
  const std::span<const std::string_view> known = picture_kinds();
  if (kinds.empty()) fail("expected at least one picture, found none");
  for (const std::string& kind : kinds) {
    if (std::find(known.begin(), known.end(), kind) == known.end())
      fail("unknown picture '{}': expected {}{}", kind, fmt::join(known, ", "),
           did_you_mean(kind, known));
    if (std::count(kinds.begin(), kinds.end(), kind) > 1)
      fail("expected picture '{}' once, found it twice", kind);
  }
}

std::vector<Picture> clip_pictures(const Waveform& wave, const FeatureSet& set,
                                   const std::string& title, std::span<const std::string> kinds) {
  check_picture_kinds(kinds);
  check_recording(wave);
  Clip clip(wave, set);
  std::vector<Picture> pictures;
  for (const std::string& kind : kinds)
    pictures.push_back({.title = title,
                        .panels_per_row = kind == kSheet ? 2 : 1,
                        .panels = panels_of(kind, clip)});
  return pictures;
}

}  // namespace ser::report
