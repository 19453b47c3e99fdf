#include "ser/features/stft.h"

#include <cmath>
#include <numbers>

#include "core/internal/fail.h"
#include "features/frame_blocks.h"

namespace ser {
namespace {

using Real = BatchFft::Real;
using RealVector = Eigen::VectorX<Real>;

constexpr int kLanes = BatchFft::kLanes;

/// Periodic Hann window: 0.5 - 0.5 cos(2 pi n / size).
Eigen::VectorXd hann_window(int size) {
  Eigen::VectorXd window(size);
  for (int n = 0; n < size; ++n) window[n] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / size);
  return window;
}

}  // namespace

void StftOptions::visit(FieldVisitor& v) {
  v.field("fft_size", fft_size, "Samples of a transform, a power of two", Range{2, 65536});
  v.field("hop_samples", hop_samples, "Samples from one frame to the next", Range{1, 1 << 20});
  v.field("window_samples", window_samples, "Samples of the Hann window; 0: fft_size",
          Range{0, 65536});
}

Eigen::Index num_frames(Eigen::Index samples, int hop_samples) { return 1 + samples / hop_samples; }

void check_overlap(int frame_samples, int hop_samples) {
  if (hop_samples < frame_samples / 256)
    fail("hop_samples: expected at least {}, a 256th of a frame, found {}", frame_samples / 256,
         hop_samples);
}

StftPlan::StftPlan(const StftOptions& options)
    : options_(options),
      fft_(options.fft_size),
      weights_(static_cast<std::size_t>(options.fft_size)) {
  if (options.hop_samples < 1)
    fail("hop_samples: expected at least 1, found {}", options.hop_samples);
  check_overlap(options.fft_size, options.hop_samples);
  if (options.window_samples < 0 || options.window_samples > options.fft_size)
    fail("window_samples: expected 0 to fft_size ({}), found {}", options.fft_size,
         options.window_samples);
  const Eigen::VectorXd window = hann_window(options.window());
  const Eigen::Index begin = (options.fft_size - options.window()) / 2;
  std::copy(window.begin(), window.end(), weights_.begin() + begin);
}

FrameMatrix StftPlan::power(const Eigen::VectorXf& samples) const {
  const FrameBlocks blocks(samples, options_.fft_size, options_.hop_samples);
  FrameMatrix power(fft_.num_bins(), blocks.frames());
  RealVector scratch(fft_.scratch_size());
  Eigen::VectorXf block(Eigen::Index{fft_.num_bins()} * kLanes);
  for (Eigen::Index first = 0; first < blocks.frames(); first += kLanes) {
    fft_.power(blocks.rows(), first, weights_, scratch.data(), block.data());
    const auto powers =
        Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, kLanes, Eigen::RowMajor>>(
            block.data(), fft_.num_bins(), kLanes);
    if (const Eigen::Index count = blocks.frames() - first; count >= kLanes)
      power.middleCols<kLanes>(first) = powers;
    else
      power.rightCols(count) = powers.leftCols(count);
  }
  return power;
}

FrameMatrix power_spectrogram(const Eigen::VectorXf& samples, const StftOptions& options) {
  return StftPlan(options).power(samples);
}

}  // namespace ser
