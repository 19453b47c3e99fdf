#pragma once

#include <Eigen/Core>

#include "ser/audio/audio_file.h"
#include "ser/audio/waveform.h"
#include "ser/features/frame_matrix.h"
#include "ser/report/picture.h"

namespace ser::report {

// Analyses of a recording of any length in at most `kMostColumns` columns, computed piece by piece.

inline constexpr Eigen::Index kMostColumns = 640;

/// A power spectrogram; bin k lies at k * bin_hz, column c at first_s + c * column_s.
struct ColumnSpectrum {
  FrameMatrix power;  ///< mean of the frames of each column, [1 + fft_size/2 x columns]
  int fft_size = 0;
  double bin_hz = 0;
  double first_s = 0;
  double column_s = 0;
};

/// window_s: of the Hann window; the transform is twice as long, so that its peaks show.
ColumnSpectrum column_spectrum(const Waveform& wave, double window_s);

/// Fundamental frequency; a column has that of its voiced frames, not-a-number if these are fewer
/// than half.
struct ColumnPitch {
  Eigen::VectorXf times_s;
  Eigen::VectorXf hz;
};
ColumnPitch column_pitch(const Waveform& wave);

/// Lowest and highest sample of each column. Neighbours share a sample, so that they touch.
struct Envelope {
  Eigen::VectorXf times_s;
  Eigen::VectorXf low, high;
};
Envelope envelope(const Waveform& wave);

/// The same of a recording of known duration that is read from its start to its end, in flat
/// memory.
Envelope envelope(AudioReader& reader, double duration_s);

/// The waveform over the time axis, which counts in `unit_s` seconds. headroom: of the amplitude
/// axis over the peak.
Panel waveform_panel(const Envelope& shape, const PlotAxis& time, double unit_s, double headroom);

}  // namespace ser::report
