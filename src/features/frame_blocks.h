#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "features/batch_fft.h"
#include "ser/features/stft.h"

namespace ser {

/// A signal laid out so that sample n of consecutive frames is contiguous. With the signal cut into
/// columns of `hop` samples, sample n of frame t stands in row n % hop, column t + n / hop: every
/// load of the batched transform is one vector, and each sample is moved once however much the
/// frames overlap. Frame t is centred on sample t * hop of the signal, which zeros continue.
class FrameBlocks {
 public:
  FrameBlocks(const Eigen::VectorXf& samples, int frame_samples, int hop_samples);

  Eigen::Index frames() const { return frames_; }
  /// rows()[n] + t: sample n of the frames t, t + 1, ...; readable to a whole block past the last.
  std::span<const float* const> rows() const { return rows_; }

 private:
  Eigen::Index frames_;
  FrameMatrix columns_;
  std::vector<const float*> rows_;
};

/// The parts of an STFT that depend on the options alone.
class StftPlan {
 public:
  /// Throws Error for options that do not fit; see `power_spectrogram`.
  explicit StftPlan(const StftOptions& options);
  FrameMatrix power(const Eigen::VectorXf& samples) const;

 private:
  StftOptions options_;
  BatchFft fft_;
  std::vector<BatchFft::Real> weights_;
};

}  // namespace ser
