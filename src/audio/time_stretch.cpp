#include "audio/time_stretch.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ser {
namespace {

constexpr double kHopS = 0.02;
constexpr double kToleranceS = 0.01;
/// Similarity needs no more than telephone bandwidth; every n-th sample of a faster recording is
/// compared.
constexpr int kSearchRateHz = 8000;

/// The signal with silence on both sides, cut into segments of `size` samples.
class SegmentedSignal {
 public:
  SegmentedSignal(const Waveform& wave, Eigen::Index segment_size, Eigen::Index margin)
      : padded_(Eigen::VectorXf::Zero(wave.samples.size() + 2 * margin)),
        size_(segment_size),
        margin_(margin),
        stride_(std::max(1, wave.sample_rate_hz / kSearchRateHz)) {
    padded_.segment(margin, wave.samples.size()) = wave.samples;
  }

  auto segment(Eigen::Index begin) const {
    const Eigen::Index last = padded_.size() - size_;
    return padded_.segment(std::clamp<Eigen::Index>(begin + margin_, 0, last), size_);
  }

  /// The position within `tolerance` of `centre` whose segment is most like that at `reference`:
  /// coarsely first, then around the best.
  Eigen::Index most_similar(Eigen::Index reference, Eigen::Index centre,
                            Eigen::Index tolerance) const {
    const Eigen::Index coarse =
        search(reference, centre, centre - tolerance, centre + tolerance, stride_);
    return search(reference, coarse, coarse - stride_ + 1, coarse + stride_ - 1, 1);
  }

 private:
  /// The best of positions first, first + step, ... last; `fallback` where all are silent.
  Eigen::Index search(Eigen::Index reference, Eigen::Index fallback, Eigen::Index first,
                      Eigen::Index last, Eigen::Index step) const {
    Eigen::Index best = fallback;
    double best_similarity = similarity(reference, fallback);
    for (Eigen::Index position = first; position <= last; position += step) {
      const double candidate = similarity(reference, position);
      if (candidate > best_similarity) {
        best_similarity = candidate;
        best = position;
      }
    }
    return best;
  }

  /// Cross-correlation, normalised by the candidate's energy.
  double similarity(Eigen::Index reference, Eigen::Index candidate) const {
    const auto a = segment(reference), b = segment(candidate);
    double product = 0, energy = 0;
    for (Eigen::Index i = 0; i < size_; i += stride_) {
      product += static_cast<double>(a[i]) * b[i];
      energy += static_cast<double>(b[i]) * b[i];
    }
    return energy > 0 ? product / std::sqrt(energy) : 0;
  }

  Eigen::VectorXf padded_;
  Eigen::Index size_;
  Eigen::Index margin_;
  Eigen::Index stride_;
};

/// Halves that overlap sum to one.
Eigen::VectorXf hann(Eigen::Index size) {
  Eigen::VectorXf window(size);
  for (Eigen::Index i = 0; i < size; ++i)
    window[i] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                                static_cast<double>(size)));
  return window;
}

}  // namespace

Waveform time_stretch(const Waveform& wave, double ratio) {
  const auto hop = std::max<Eigen::Index>(1, std::lround(kHopS * wave.sample_rate_hz));
  const Eigen::Index tolerance = std::lround(kToleranceS * wave.sample_rate_hz);
  const SegmentedSignal signal(wave, 2 * hop, 3 * hop + tolerance);
  const Eigen::VectorXf window = hann(2 * hop);
  const Eigen::Index size = std::lround(static_cast<double>(wave.samples.size()) * ratio);

  // Output starts one hop early, so that its first sample lies under two segments as all others do.
  Eigen::VectorXf stretched = Eigen::VectorXf::Zero(size + 4 * hop);
  Eigen::Index position = -hop;
  for (Eigen::Index at = -hop; at < size; at += hop) {
    const Eigen::Index ideal = std::lround(static_cast<double>(at) / ratio);
    if (at >= 0) position = signal.most_similar(position + hop, ideal, tolerance);
    stretched.segment(at + hop, 2 * hop) += signal.segment(position).cwiseProduct(window);
  }
  return {stretched.segment(hop, size), wave.sample_rate_hz};
}

}  // namespace ser
