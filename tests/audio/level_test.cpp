#include "ser/audio/level.h"

#include <gtest/gtest.h>

#include "audio/signals.h"

namespace ser {
namespace {

double silent_share(const Waveform& wave, double range_db = 40) {
  LevelMeter meter(wave.sample_rate_hz);
  meter.add({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
  return meter.silent_share(range_db);
}

TEST(Level, SineHasItsRms) {
  EXPECT_NEAR(active_rms(sine(200, 1, 16000, 0.5)), 0.5 / std::sqrt(2), 1e-6);
}

TEST(Level, PausesDoNotCount) {
  Waveform wave = sine(200, 1, 16000, 0.5);
  wave.samples.tail(8000) *= 1e-3f;
  EXPECT_NEAR(active_rms(wave), 0.5 / std::sqrt(2), 1e-6);
  wave.samples.tail(8000).setZero();
  EXPECT_NEAR(active_rms(wave), 0.5 / std::sqrt(2), 1e-6);
}

TEST(Level, FramesWithinTheRangeCount) {
  Waveform wave = sine(200, 1, 16000, 0.5);
  wave.samples.tail(8000) *= 0.1f;  // 20 dB below
  EXPECT_NEAR(active_rms(wave, 30), 0.5 * std::sqrt((1 + 0.01) / 4), 1e-6);
  EXPECT_NEAR(active_rms(wave, 10), 0.5 / std::sqrt(2), 1e-6);
}

TEST(Level, SilentShareCountsQuietFrames) {
  Waveform wave = sine(200, 1, 16000, 0.5);
  EXPECT_EQ(silent_share(wave), 0);
  wave.samples.tail(4000) *= 1e-3f;  // 60 dB below
  EXPECT_DOUBLE_EQ(silent_share(wave), 0.25);
  EXPECT_EQ(silent_share(wave, 70), 0);
  wave.samples *= 0.01f;
  EXPECT_DOUBLE_EQ(silent_share(wave), 0.25);
  wave.samples.setZero();
  EXPECT_EQ(silent_share(wave), 1);
}

TEST(Level, SilenceIsZeroAndStaysSilence) {
  for (const Eigen::Index size : {0, 1, 16000}) {
    const Waveform silence{Eigen::VectorXf::Zero(size), 16000};
    EXPECT_EQ(active_rms(silence), 0);
    EXPECT_EQ(scale_to(silence, 0.1).samples, silence.samples);
  }
}

TEST(Level, ComesOutTheSameInBlocks) {
  Waveform wave = sine(200, 1.01, 16000);
  wave.samples.tail(3000) *= 1e-3f;
  for (const std::size_t step : {1, 399, 5000}) {
    LevelMeter meter(16000);
    std::span<const float> rest(wave.samples.data(), static_cast<std::size_t>(wave.samples.size()));
    for (; !rest.empty(); rest = rest.subspan(std::min(step, rest.size())))
      meter.add(rest.first(std::min(step, rest.size())));
    EXPECT_NEAR(meter.active_rms(), active_rms(wave), 1e-9);
    EXPECT_EQ(meter.silent_share(), silent_share(wave));
  }
}

TEST(Level, ScalingIsBlindToGain) {
  const Waveform loud = sine(200, 1, 16000, 0.5);
  const Eigen::VectorXf expected = scale_to(loud, 0.1).samples;
  EXPECT_NEAR(active_rms(scale_to(loud, 0.1)), 0.1, 1e-7);
  for (const float gain : {1e-30f, 1e-4f, 0.3f, 7.0f, 1e20f}) {
    const Waveform copy{loud.samples * gain, 16000};
    EXPECT_LT((scale_to(copy, 0.1).samples - expected).cwiseAbs().maxCoeff(), 1e-6f) << gain;
  }
}

}  // namespace
}  // namespace ser
