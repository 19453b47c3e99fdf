#pragma once

#include <Eigen/Core>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/stft.h"

namespace ser {

inline constexpr int kPitchClasses = 12;

enum class SpectrumKind { kPower, kMagnitude };

struct ChromaOptions {
  /// A value of `tuning` that no tuning has.
  static constexpr double kEstimated = 1;

  StftOptions stft;
  SpectrumKind spectrum = SpectrumKind::kPower;
  double tuning = kEstimated;  ///< semitones from A = 440 Hz

  void visit(FieldVisitor& v);
  bool operator==(const ChromaOptions&) const = default;
};

/// How far the peaks of a spectrum (power or magnitude) lie from the notes of A = 440 Hz:
/// semitones in [-0.5, 0.5), in steps of 0.01; 0 if there is no peak. Peaks are taken between 150
/// and 4,000 Hz above a tenth of their frame's maximum, refined by a parabola, and those above the
/// median height vote. As librosa 0.11 `estimate_tuning`; on speech the winner often leads by one
/// or two votes, so float rounding can change it.
double estimate_tuning(const FrameMatrix& spectrum, int fft_size, int sample_rate_hz);

/// Weights of each FFT bin for the twelve pitch classes from C, [12 x 1 + fft_size/2]: Gaussian
/// bumps, unit norm over classes, weighted around octave 5 with a width of 2 octaves; as librosa's
/// `filters.chroma`. tuning: semitones from A = 440 Hz.
Eigen::MatrixXf chroma_filterbank(int fft_size, int sample_rate_hz, double tuning);

/// Chromagram, [12 x frames], each frame divided by its largest class (silent frames stay 0).
/// spectrum: power or magnitude, [1 + fft_size/2 x frames].
/// As librosa 0.11 `feature.chroma_stft(S=spectrum)` to 1e-5 where the tuning is the same.
FrameMatrix chroma(const FrameMatrix& spectrum, const Eigen::MatrixXf& filterbank);

/// Tonal centroid, [6 x frames], of a chromagram: the class distribution projected on the circles
/// of fifths, minor and major thirds (Harte, Sandler and Gasser 2006), as librosa's `tonnetz`.
FrameMatrix tonnetz(const FrameMatrix& chroma);

}  // namespace ser
