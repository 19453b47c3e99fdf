#pragma once

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"
#include "ser/features/stft.h"

namespace ser {

/// Linear prediction of the spectrum up to `high_hz`.
struct LsfOptions {
  StftOptions stft{1024, 160, 640};
  int order = 16;
  double high_hz = 5500;
  double preemphasis = 0.97;  ///< of the wave at twice high_hz

  void visit(FieldVisitor& v);
};

/// Line spectral frequencies in Hz, rising within a frame, [order x frames]; 0 in unvoiced frames.
/// They stand close together at the resonances of the vocal tract and evenly in a flat spectrum, so
/// their means tell how long the tract is: longer in men.
/// The predictor is that of the spectrum below high_hz alone (selective linear prediction, Makhoul
/// 1975), with a lag window of 60 Hz and white noise 40 dB down; its line spectrum (Itakura 1975)
/// is found to 1 Hz or so where it crosses zero on a grid.
/// power: [1 + fft_size/2 x frames]; pitch: of the same frames. Throws Error if high_hz is more
/// than half the sampling rate or the order more than a sixth of the bins below it.
FrameMatrix line_spectral_frequencies(const FrameMatrix& power, double bin_hz,
                                      const PitchTrack& pitch, const LsfOptions& options);

}  // namespace ser
