#include "report/column_analysis.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "features/internal/feature_set.h"
#include "ser/features/pitch.h"
#include "ser/features/stft.h"

namespace ser::report {
namespace {

using Eigen::Index;

constexpr double kHopS = 0.01, kShortestHopS = 0.001;
constexpr int kColumnsOfShortClip = 300;
constexpr int kLargestTransform = 1 << 16;
constexpr Index kFramesAtOnce = 2048;

/// Frames of a fixed hop, so many of them a column.
struct Grid {
  int hop_samples = 1;
  Index frames = 0;
  Index frames_per_column = 1;

  Index columns() const { return (frames + frames_per_column - 1) / frames_per_column; }
  Index columns_at_once() const { return std::max<Index>(1, kFramesAtOnce / frames_per_column); }
};

Grid make_grid(const Waveform& wave, double hop_s) {
  Grid grid;
  grid.hop_samples = std::max(1, static_cast<int>(std::lround(hop_s * wave.sample_rate_hz)));
  grid.frames = num_frames(wave.samples.size(), grid.hop_samples);
  grid.frames_per_column = (grid.frames + kMostColumns - 1) / kMostColumns;
  return grid;
}

/// Calls work(columns, samples, skipped frames) for one run of columns after the other. The samples
/// reach half a `window` beyond the run, so that its frames, which follow the skipped ones, are
/// those of the whole recording.
template <typename Work>
void for_each_run(const Waveform& wave, const Grid& grid, Index window, const Work& work) {
  const Index margin_frames = (window / 2 + grid.hop_samples - 1) / grid.hop_samples;
  for (Index column = 0; column < grid.columns(); column += grid.columns_at_once()) {
    const Index end_column = std::min(grid.columns(), column + grid.columns_at_once());
    const Index first = column * grid.frames_per_column;
    const Index last = std::min(grid.frames, end_column * grid.frames_per_column) - 1;
    const Index first_read = std::max<Index>(0, first - margin_frames);
    const Index begin = first_read * grid.hop_samples;
    const Index end = std::min(wave.samples.size(), last * grid.hop_samples + window / 2 + 1);
    work(column, end_column - column, wave.samples.segment(begin, end - begin).eval(),
         first - first_read, last + 1 - first);
  }
}

}  // namespace

ColumnSpectrum column_spectrum(const Waveform& wave, double window_s) {
  const int rate = wave.sample_rate_hz;
  const Grid grid =
      make_grid(wave, std::clamp(wave.duration_s() / kColumnsOfShortClip, kShortestHopS, kHopS));
  StftOptions options;
  options.hop_samples = grid.hop_samples;
  options.window_samples =
      std::clamp(static_cast<int>(std::lround(window_s * rate)), 16, kLargestTransform / 2);
  options.fft_size =
      static_cast<int>(std::bit_ceil(static_cast<unsigned>(2 * options.window_samples)));

  ColumnSpectrum spectrum;
  spectrum.fft_size = options.fft_size;
  spectrum.bin_hz = static_cast<double>(rate) / options.fft_size;
  spectrum.column_s = static_cast<double>(grid.frames_per_column * grid.hop_samples) / rate;
  spectrum.first_s =
      0.5 * static_cast<double>((grid.frames_per_column - 1) * grid.hop_samples) / rate;
  spectrum.power.resize(1 + options.fft_size / 2, grid.columns());
  for_each_run(wave, grid, options.fft_size,
               [&](Index column, Index columns, const Eigen::VectorXf& samples, Index skipped,
                   Index frames) {
                 const FrameMatrix power = power_spectrogram(samples, options);
                 for (Index c = 0; c < columns; ++c) {
                   const Index begin = c * grid.frames_per_column;
                   const Index count = std::min(grid.frames_per_column, frames - begin);
                   spectrum.power.col(column + c) =
                       power.middleCols(skipped + begin, count).rowwise().mean();
                 }
               });
  return spectrum;
}

ColumnPitch column_pitch(const Waveform& wave) {
  const Grid grid = make_grid(wave, kHopS);
  const PitchOptions options = voicing_options(wave.sample_rate_hz, grid.hop_samples);
  const auto time_s = [&](Index frame) {
    return static_cast<float>(static_cast<double>(frame * grid.hop_samples) / wave.sample_rate_hz);
  };
  ColumnPitch pitch{Eigen::VectorXf(grid.columns()), Eigen::VectorXf(grid.columns())};
  for_each_run(wave, grid, options.frame_samples,
               [&](Index column, Index columns, const Eigen::VectorXf& samples, Index skipped,
                   Index frames) {
                 const PitchTrack track = track_pitch(samples, wave.sample_rate_hz, options);
                 for (Index c = 0; c < columns; ++c) {
                   const Index begin = c * grid.frames_per_column;
                   const Index count = std::min(grid.frames_per_column, frames - begin);
                   const auto hz = track.hz.segment(skipped + begin, count).array();
                   const auto voiced = (hz > 0).count();
                   pitch.times_s[column + c] =
                       time_s((column + c) * grid.frames_per_column + count / 2);
                   pitch.hz[column + c] = 2 * voiced >= count && voiced > 0
                                              ? hz.sum() / static_cast<float>(voiced)
                                              : std::numeric_limits<float>::quiet_NaN();
                 }
               });
  return pitch;
}

Envelope envelope(const Waveform& wave) {
  const Index size = wave.samples.size();
  const Index columns = std::min(size - 1, 2 * kMostColumns);
  Envelope result{Eigen::VectorXf(columns), Eigen::VectorXf(columns), Eigen::VectorXf(columns)};
  for (Index c = 0; c < columns; ++c) {
    const Index begin = c * (size - 1) / columns, end = (c + 1) * (size - 1) / columns + 1;
    const auto samples = wave.samples.segment(begin, end - begin);
    result.times_s[c] =
        static_cast<float>(0.5 * static_cast<double>(begin + end - 1) / wave.sample_rate_hz);
    result.low[c] = samples.minCoeff();
    result.high[c] = samples.maxCoeff();
  }
  return result;
}

Envelope envelope(AudioReader& reader, double duration_s) {
  constexpr Index kColumns = 2 * kMostColumns;
  const double columns_per_sample = kColumns / (duration_s * reader.sample_rate_hz());
  Envelope result{Eigen::VectorXf::LinSpaced(kColumns, 0.5f, kColumns - 0.5f) *
                      static_cast<float>(duration_s / kColumns),
                  Eigen::VectorXf::Zero(kColumns), Eigen::VectorXf::Zero(kColumns)};
  Index index = 0;
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block())
    for (const float sample : block) {
      const auto column = std::min(
          kColumns - 1, static_cast<Index>(static_cast<double>(index++) * columns_per_sample));
      result.low[column] = std::min(result.low[column], sample);
      result.high[column] = std::max(result.high[column], sample);
    }
  return result;
}

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
