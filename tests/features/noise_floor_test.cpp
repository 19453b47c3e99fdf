#include "features/noise_floor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "features/internal/feature_set.h"
#include "ser/audio/level.h"
#include "ser/core/rng.h"
#include "ser/features/extractor.h"

namespace ser {
namespace {

/// A voice with pauses, at the level that recordings are brought to, in white noise so far below
/// it.
Waveform voice_in_noise(double noise_db, int rate_hz = 16000) {
  Waveform wave{Eigen::VectorXf(2 * rate_hz), rate_hz};
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    double sample = 0;
    for (int h = 1; h < 20; ++h) sample += std::sin(2 * std::numbers::pi * 150 * h * t) / h;
    wave.samples[i] = static_cast<float>(std::max(0.0, std::sin(9 * t)) * sample);
  }
  wave = scale_to(wave, kActiveRms);
  Rng rng(3, 0);
  const double rms = kActiveRms * std::pow(10, -noise_db / 20);
  for (float& sample : wave.samples) sample += static_cast<float>(rms * rng.normal());
  return wave;
}

std::optional<double> lacking(double noise_db, int rate_hz = 16000) {
  const Waveform wave = voice_in_noise(noise_db, rate_hz);
  const Tables tables;
  return lacking_noise_db(Analysis(wave, tables), kActiveRms);
}

TEST(NoiseFloor, OnlyVeryCleanRecordingsLackNoise) {
  for (const int rate_hz : {8000, 16000, 22050, 48000}) {
    for (const double noise_db : {0.0, 20.0, 34.0}) EXPECT_FALSE(lacking(noise_db, rate_hz));
    EXPECT_NEAR(lacking(42, rate_hz).value_or(0), 35, 3);
    for (const double noise_db : {46.0, 60.0, 200.0}) EXPECT_EQ(lacking(noise_db, rate_hz), 30);
  }
}

TEST(NoiseFloor, NoiseHasItsLevelAndIsAlwaysTheSame) {
  const Waveform clean = voice_in_noise(200);
  const Waveform noisy = with_noise(clean, 0.01);
  const Eigen::VectorXf added = noisy.samples - clean.samples;
  EXPECT_NEAR(std::sqrt(added.squaredNorm() / static_cast<float>(added.size())), 0.01, 2e-4);
  EXPECT_NEAR(added.mean(), 0, 2e-4);
  EXPECT_EQ(with_noise(clean, 0.01).samples, noisy.samples);
  const Waveform silence{Eigen::VectorXf::Zero(16000), 16000};
  EXPECT_EQ(with_noise(silence, 0.01).samples, silence.samples);
}

FeatureSet quiet_rows(Level level) {
  FeatureSet set = parse_feature_set("log_mel", Pooling::kStats);
  set.level = level;
  return set;
}

TEST(NoiseFloor, FeaturesOfACleanRecordingAreThoseOfItInNoise) {
  const Extractor active(quiet_rows(Level::kActive)), as_is(quiet_rows(Level::kAsIs));
  const Extractor over_noise(quiet_rows(Level::kActiveOverNoise));
  const Waveform dirty = voice_in_noise(25), clean = voice_in_noise(90);
  EXPECT_EQ(over_noise.extract(dirty), active.extract(dirty));
  const double rms = kActiveRms * std::pow(10, -1.5);  // 30 dB
  EXPECT_EQ(over_noise.extract(clean), as_is.extract(with_noise(scale_to(clean, kActiveRms), rms)));
  Waveform quieter = clean;
  quieter.samples *= 0.01f;
  EXPECT_TRUE(over_noise.extract(quieter).isApprox(over_noise.extract(clean), 1e-4f));
}

TEST(NoiseFloor, PresetsHideIt) {
  for (const char* preset : {"functionals", "frames", "vocal_tract"})
    EXPECT_EQ(parse_feature_set(preset).level, Level::kActiveOverNoise);
  EXPECT_EQ(parse_feature_set("classic").level, Level::kAsIs);
}

}  // namespace
}  // namespace ser
