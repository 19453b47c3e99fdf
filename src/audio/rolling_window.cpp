#include "ser/audio/rolling_window.h"

#include <algorithm>
#include <cmath>

#include "core/internal/fail.h"
#include "ser/audio/audio_file.h"

namespace ser {
namespace {

constexpr double kLongestWindowS = 600, kShortestHopS = 0.01, kLongestHopS = 3600;

void check(const char* what, double value_s, double least_s, double most_s) {
  if (!(value_s >= least_s && value_s <= most_s))
    fail("{}: expected {} to {} s, found {}", what, least_s, most_s, value_s);
}

}  // namespace

RollingWindow::RollingWindow(int sample_rate_hz, double window_s, double hop_s) {
  check("window", window_s, kShortestRecordingS, kLongestWindowS);
  check("hop", hop_s, kShortestHopS, kLongestHopS);
  hop_samples_ = std::max(1L, std::lround(hop_s * sample_rate_hz));
  window_.wave = {Eigen::VectorXf(std::lround(window_s * sample_rate_hz)), sample_rate_hz};
}

void RollingWindow::push(std::span<const float> samples, const OnWindow& on_window) {
  Eigen::VectorXf& buffer = window_.wave.samples;
  while (!samples.empty()) {
    // With a hop longer than the window, some samples belong to none.
    const std::int64_t skip = std::max<std::int64_t>(0, window_.begin - taken_);
    const bool skipping = skip > 0;
    const std::size_t count =
        std::min<std::size_t>(samples.size(), skipping ? skip : buffer.size() - filled_);
    if (!skipping) {
      std::copy_n(samples.data(), count, buffer.data() + filled_);
      filled_ += count;
    }
    samples = samples.subspan(count);
    taken_ += count;
    if (filled_ < buffer.size()) continue;
    on_window(window_);
    complete_ = true;
    kept_ = std::max<Eigen::Index>(0, buffer.size() - hop_samples_);
    std::copy_n(buffer.data() + buffer.size() - kept_, kept_, buffer.data());
    filled_ = kept_;
    window_.begin += hop_samples_;
  }
}

void RollingWindow::restart() {
  window_.begin = taken_;
  filled_ = 0;
  complete_ = false;
  kept_ = 0;
}

void RollingWindow::finish(const OnWindow& on_window) {
  if (complete_) return restart();
  finish_with_rest(on_window);
}

void RollingWindow::finish_with_rest(const OnWindow& on_window) {
  const Waveform& wave = window_.wave;
  if (filled_ > kept_ && filled_ >= kShortestRecordingS * wave.sample_rate_hz)
    on_window({window_.begin, {wave.samples.head(filled_), wave.sample_rate_hz}});
  restart();
}

}  // namespace ser
