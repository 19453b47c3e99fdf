#include "features/frame_memory.h"

#include <algorithm>
#include <cmath>

namespace ser {
namespace {

constexpr double kSettlesS = 0.25;  // of a low cut that begins with the window
constexpr double kEndS = 0.05;      // a resampler looks ahead
constexpr float kRounding = 1e-5f;  // relative to the window's loudest sample

}  // namespace

SampleRange CleanTrace::meet(const Waveform& window, Eigen::Index begin) {
  const auto samples = [&](double s) {
    return static_cast<Eigen::Index>(std::lround(s * window.sample_rate_hz));
  };
  const float most = kRounding * window.samples.cwiseAbs().maxCoeff();
  const auto trace_size = static_cast<Eigen::Index>(samples_.size());
  const auto is_same = [&](Eigen::Index i) {
    const float before = samples_[static_cast<std::size_t>(begin + i - begin_)];
    return std::abs(window.samples[i] - before) <= most;
  };
  const Eigen::Index settled = std::min(samples(kSettlesS), window.samples.size());
  SampleRange known{settled, std::max(settled, window.samples.size() - samples(kEndS))};
  const Eigen::Index met = std::min(known.end, begin_ + trace_size - begin);
  Eigen::Index same = settled;
  while (same < met && is_same(same)) ++same;
  restarted_ = met <= settled || same < met;
  if (restarted_) {
    begin_ = begin + known.begin;
    samples_.clear();
  } else {
    while (begin + known.begin > begin_ && known.begin > 0 && is_same(known.begin - 1))
      --known.begin;
  }
  const Eigen::Index next = begin_ + static_cast<Eigen::Index>(samples_.size()) - begin;
  samples_.insert(samples_.end(), window.samples.data() + std::min(next, known.end),
                  window.samples.data() + known.end);
  return known;
}

}  // namespace ser
