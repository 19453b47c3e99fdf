#include "audio/downmix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ser {
namespace {

constexpr double kStepS = 0.01, kMemoryS = 0.5, kLowestHz = 100;
constexpr double kCancels = 0.1, kAddsUp = 0.5;

}  // namespace

Downmix::Downmix(int num_channels, int sample_rate_hz)
    : sample_rate_hz_(sample_rate_hz),
      feedback_(std::exp(-2 * std::numbers::pi * kLowestHz / sample_rate_hz)),
      step_frames_(std::max<std::int64_t>(1, std::llround(kStepS * sample_rate_hz))),
      channels_(num_channels) {}

void Downmix::Meter::add(double sample, double feedback) {
  output = sample - input + feedback * output;
  input = sample;
  step_energy += output * output;
}

void Downmix::Meter::close_step(double memory) {
  energy = memory * energy + step_energy;
  step_energy = 0;
}

void Downmix::add(std::span<const float> interleaved, std::vector<float>& mono) {
  const std::size_t count = channels_.size();
  if (count == 1) {
    mono.insert(mono.end(), interleaved.begin(), interleaved.end());
    return;
  }
  for (std::size_t i = 0; i + count <= interleaved.size(); i += count) {
    const std::span<const float> frame = interleaved.subspan(i, count);
    mono.push_back(mix(frame));
    measure(frame);
  }
}

float Downmix::mix(std::span<const float> frame) const {
  if (taken_ >= 0) return frame[taken_];
  double sum = 0;
  for (const float sample : frame) sum += sample;
  return static_cast<float>(sum / static_cast<double>(frame.size()));
}

void Downmix::measure(std::span<const float> frame) {
  double sum = 0;
  for (std::size_t c = 0; c < frame.size(); ++c) {
    sum += frame[c];
    channels_[c].add(frame[c], feedback_);
  }
  average_.add(sum / static_cast<double>(frame.size()), feedback_);
  frames_cancelled_ += taken_ >= 0 ? 1 : 0;
  if (++frames_ % step_frames_ == 0) decide();
}

void Downmix::decide() {
  const double memory = std::exp(-kStepS / kMemoryS);
  double sum = 0;
  for (Meter& channel : channels_) {
    channel.close_step(memory);
    sum += channel.energy;
  }
  average_.close_step(memory);
  const double count = channels_.size();
  const double unrelated = sum / (count * count);
  if (average_.energy > kAddsUp * unrelated) taken_ = -1;
  if (taken_ >= 0 || !(average_.energy < kCancels * unrelated)) return;
  const auto loudest =
      std::max_element(channels_.begin(), channels_.end(),
                       [](const Meter& a, const Meter& b) { return a.energy < b.energy; });
  taken_ = loudest - channels_.begin();
}

std::string Downmix::notice() const {
  if (frames_cancelled_ == 0) return "";
  const auto seconds = [&](std::int64_t frames) {
    return static_cast<double>(frames) / sample_rate_hz_;
  };
  return fmt::format(
      "its channels cancel each other out: the loudest one was taken for {:.1f} of {:.1f} s",
      seconds(frames_cancelled_), seconds(frames_));
}

}  // namespace ser
