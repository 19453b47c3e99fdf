#pragma once

#include <Eigen/Core>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"

namespace ser {

/// How a waveform is cut into frames and transformed.
struct StftOptions {
  int fft_size = 2048;
  int hop_samples = 512;
  int window_samples = 0;  ///< 0: fft_size

  void visit(FieldVisitor& v);
  int window() const { return window_samples > 0 ? window_samples : fft_size; }
  bool operator==(const StftOptions&) const = default;
};

/// Frames of a centred analysis: 1 + samples / hop.
Eigen::Index num_frames(Eigen::Index samples, int hop_samples);

/// Throws Error if each sample is in more than 256 frames: all of them would take more time and
/// memory than any use of them is worth.
void check_overlap(int frame_samples, int hop_samples);

/// Squared magnitudes of the short-time Fourier transform, [1 + fft_size/2 x frames]. Frame t is
/// centred on sample t * hop; the signal is continued by zeros; the periodic Hann window stands in
/// the middle of the transform.
/// Computed in double and stored in float, as librosa 0.11 `stft(pad_mode="constant")` does it: the
/// deep valleys beside a loud partial, down to -140 dB, would drown in the rounding of a float
/// transform or window (spectral contrast would be off by up to 4 dB there).
/// Throws Error if fft_size is not a power of two in [16, 65536], or hop or window do not fit.
FrameMatrix power_spectrogram(const Eigen::VectorXf& samples, const StftOptions& options);

}  // namespace ser
