#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ser {

/// Averages channels; where that loses the sound, because one channel is another one's inverse, it
/// takes the loudest instead.
///
/// Which it is, is decided every 10 ms from what has been heard by then, and holds from there on:
/// so it is the same for files and for streams, however their bytes come. Energies are those above
/// 100 Hz (an offset is no sound that the average keeps) with a memory of half a second. Channels
/// without anything in common average to 1 / N of their mean energy; less than a tenth of that is
/// taken for cancelling, and more than half of it for the end of it.
class Downmix {
 public:
  Downmix(int num_channels, int sample_rate_hz);

  /// One sample a frame, appended to `mono`. interleaved: whole frames.
  void add(std::span<const float> interleaved, std::vector<float>& mono);

  /// Empty, or a sentence on how much of the sound cancelled out.
  std::string notice() const;

 private:
  void measure(std::span<const float> frame);
  void decide();
  float mix(std::span<const float> frame) const;

  /// A first-order high pass and the energy of what it lets through.
  struct Meter {
    double input = 0, output = 0;
    double step_energy = 0;  ///< of the 10 ms at hand
    double energy = 0;
    void add(double sample, double feedback);
    void close_step(double memory);
  };

  int sample_rate_hz_;
  double feedback_;
  std::int64_t step_frames_;
  std::vector<Meter> channels_;
  Meter average_;
  std::int64_t frames_ = 0;
  std::int64_t frames_cancelled_ = 0;
  int taken_ = -1;  ///< channel taken for all; -1: the average
};

}  // namespace ser
