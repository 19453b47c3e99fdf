#pragma once

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/stft.h"

namespace ser {

// Descriptors of a magnitude spectrum [1 + fft_size/2 x frames] whose bins lie `bin_hz` apart. Each
// returns one value a frame, [1 x frames], and 0 where the frame is silent, unless it says
// otherwise. They match librosa 0.11 to 1e-5 of the largest value.

struct CentroidOptions {
  StftOptions stft;
  void visit(FieldVisitor& v);
};

/// Mean frequency, Hz, weighted by magnitude.
FrameMatrix spectral_centroid(const FrameMatrix& magnitude, double bin_hz);

/// Standard deviation of frequency around the centroid, Hz, weighted by magnitude.
FrameMatrix spectral_bandwidth(const FrameMatrix& magnitude, double bin_hz);

struct RolloffOptions {
  StftOptions stft;
  double share = 0.85;
  void visit(FieldVisitor& v);
};

/// Lowest frequency, Hz, below which `share` of the frame's magnitude lies.
/// Throws Error unless share is in (0, 1].
FrameMatrix spectral_rolloff(const FrameMatrix& magnitude, double bin_hz, double share);

struct FlatnessOptions {
  StftOptions stft;
  double min_power = 1e-10;
  void visit(FieldVisitor& v);
};

/// Geometric over arithmetic mean of the power; 1 for a silent frame.
/// power: [1 + fft_size/2 x frames].
FrameMatrix spectral_flatness(const FrameMatrix& power, double min_power);

struct ContrastOptions {
  StftOptions stft;
  int num_bands = 6;  ///< octaves above low_hz; the band below it makes one more
  double low_hz = 200;
  double high_hz = 0;      ///< upper edge of the highest band; 0: the end of the spectrum
  double quantile = 0.02;  ///< share of a band's bins that make its peak, and its valley
  double floor = 0;        ///< of magnitudes: rounding noise in an empty band does not count
  void visit(FieldVisitor& v);
};

/// Level of the strongest bins above that of the weakest, dB, for the band below low_hz and
/// num_bands octaves from there, [num_bands + 1 x frames] (Jiang et al. 2002).
/// Throws Error if the last band starts at or above high_hz or half the sampling rate, high_hz lies
/// above that half, quantile is not in (0, 1), or floor is negative.
FrameMatrix spectral_contrast(const FrameMatrix& magnitude, double bin_hz,
                              const ContrastOptions& options);

}  // namespace ser
