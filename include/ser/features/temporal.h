#pragma once

#include <Eigen/Core>

#include "ser/audio/waveform.h"
#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"

namespace ser {

/// Frames of the waveform itself; frame t is centred on sample t * hop_samples.
struct FrameOptions {
  int frame_samples = 2048;
  int hop_samples = 512;

  void visit(FieldVisitor& v);
};

// Each returns [1 x frames], frames = 1 + samples / hop, and throws Error unless frame and hop have
// at least one sample.

/// Root mean square of each frame; zeros continue the signal. As librosa's `feature.rms`.
FrameMatrix rms(const Eigen::VectorXf& samples, const FrameOptions& options);

/// Share of neighbouring samples in a frame whose signs differ; the edge samples continue the
/// signal, and magnitudes up to 1e-10 count as positive. As librosa's `zero_crossing_rate`,
/// exactly.
FrameMatrix zero_crossing_rate(const Eigen::VectorXf& samples, const FrameOptions& options);

/// Natural logarithm of each frame's energy (the sum of its squares), at least log(1e-10).
FrameMatrix log_energy(const Eigen::VectorXf& samples, const FrameOptions& options);

/// Level of each frame of 25 ms, dB relative to full scale, at least -100: 20 log10 of `rms`.
Eigen::RowVectorXf level_db(const Waveform& wave, int hop_samples);

}  // namespace ser
