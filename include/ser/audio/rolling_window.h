#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "ser/audio/waveform.h"

namespace ser {

/// A window of a longer recording, in samples of it.
struct Window {
  std::int64_t begin = 0;
  Waveform wave;

  double start_s() const { return static_cast<double>(begin) / wave.sample_rate_hz; }
  double end_s() const {
    return static_cast<double>(begin + wave.samples.size()) / wave.sample_rate_hz;
  }
};

/// Cuts sound that comes block by block into windows of `window_s` seconds that begin every `hop_s`
/// seconds. Holds one window, however long the sound. The samples are the clock: how the sound is
/// cut into blocks changes nothing.
class RollingWindow {
 public:
  using OnWindow = std::function<void(const Window&)>;

  /// Throws Error if a window is shorter than kShortestRecordingS or longer than ten minutes, or a
  /// hop is shorter than 10 ms or longer than an hour.
  RollingWindow(int sample_rate_hz, double window_s, double hop_s);

  /// Takes samples; calls `on_window` for every window they complete.
  void push(std::span<const float> samples, const OnWindow& on_window);

  /// Sound is missing here: the next window begins with the next sample.
  void restart();

  /// The end: where the sound since the last restart was too short for one window, calls
  /// `on_window` with what there is, if that is at least kShortestRecordingS.
  void finish(const OnWindow& on_window);

  /// The end, where no sound may be left out: also calls `on_window` if the last window did not
  /// reach it, with a shorter one that does.
  void finish_with_rest(const OnWindow& on_window);

  /// Seconds taken so far.
  double heard_s() const { return static_cast<double>(taken_) / window_.wave.sample_rate_hz; }

 private:
  Eigen::Index hop_samples_;
  Window window_;
  Eigen::Index filled_ = 0;
  std::int64_t taken_ = 0;
  bool complete_ = false;  ///< a window was, since the last restart
  Eigen::Index kept_ = 0;  ///< samples of `filled_` that the last window had, too
};

}  // namespace ser
