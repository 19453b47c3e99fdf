#include "ser/audio/low_cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/audio/speech.h"
#include "ser/core/rng.h"
#include "ser/features/extractor.h"
#include "support/errors.h"
#include "support/paths.h"

namespace ser {
namespace {

using Eigen::Index;

/// Sum of harmonics of `hz` that fall by 6 dB an octave, the first of amplitude `amplitude`.
Waveform tone(double hz, double amplitude, double seconds, int rate_hz, int harmonics = 1) {
  Waveform wave{Eigen::VectorXf(std::lround(seconds * rate_hz)), rate_hz};
  for (Index i = 0; i < wave.samples.size(); ++i) {
    double sum = 0;
    for (int k = 1; k <= harmonics; ++k) {
      const double turns = k * (hz * static_cast<double>(i) / rate_hz + 0.1);
      sum += std::sin(2 * std::numbers::pi * turns) / k;
    }
    wave.samples[i] = static_cast<float>(amplitude * sum);
  }
  return wave;
}

Waveform operator+(const Waveform& a, const Waveform& b) {
  return {a.samples + b.samples, a.sample_rate_hz};
}

/// Spoken by espeak-ng, at 48 kHz: one clip of each emotion, in the noise of a quiet room.
std::vector<Waveform> spoken(float loudness = 1) {
  const std::filesystem::path folder = source_folder() / "data" / "demo" / "Actor_02";
  std::vector<Waveform> waves;
  for (int emotion = 1; emotion <= 8; ++emotion) {
    waves.push_back(
        read_audio(folder / ("03-01-0" + std::to_string(emotion) + "-01-01-01-02.flac")));
    waves.back().samples *= loudness;
    Rng rng(3, static_cast<std::uint64_t>(emotion));
    for (float& sample : waves.back().samples) sample += static_cast<float>(1e-4 * rng.normal());
  }
  return waves;
}

double decibel(const Eigen::VectorXf& samples) {
  return 20 * std::log10(samples.norm() / std::sqrt(static_cast<double>(samples.size())));
}

TEST(LowCut, PassesWhatLiesAboveAndCutsWhatLiesBelow) {
  for (const int rate_hz : {8000, 16000, 48000}) {
    const auto gain_db = [&](double hz) {
      const Waveform wave = tone(hz, 0.5, 2, rate_hz);
      return decibel(low_cut(wave, 60).samples.tail(rate_hz)) - decibel(wave.samples.tail(rate_hz));
    };
    EXPECT_NEAR(gain_db(60), -3.01, 0.05) << rate_hz;
    EXPECT_NEAR(gain_db(80), 0, 0.1) << rate_hz;
    EXPECT_NEAR(gain_db(1000), 0, 0.01) << rate_hz;
    EXPECT_LT(gain_db(20), -75) << rate_hz;
  }
}

TEST(LowCut, GivesNothingForAConstant) {
  for (const double seconds : {0.1, 1.0}) {
    const Waveform offset{Eigen::VectorXf::Constant(std::lround(seconds * 48000), 0.05f), 48000};
    EXPECT_LT(low_cut(offset, 60).samples.cwiseAbs().maxCoeff(), 1e-7f);
  }
}

TEST(LowCut, StartsWithinARumbleWithoutATransient) {
  const Waveform rumble = tone(20, 0.05, 1, 48000);
  EXPECT_LT(low_cut(rumble, 60).samples.cwiseAbs().maxCoeff(), 0.05f * 3e-4f);
}

TEST(LowCut, WhatLiesBelowChangesNothingAbove) {
  const Waveform voice = tone(140, 1e-3, 1, 48000, 10);
  const Waveform rumble = tone(18, 0.03, 1, 48000);
  const Eigen::VectorXf expected = low_cut(voice, 60).samples;
  EXPECT_LT((low_cut(voice + rumble, 60).samples - expected).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST(LowCut, RefusesFrequenciesOutOfRange) {
  const Waveform wave = tone(100, 0.1, 1, 8000);
  for (const double hz : {-1.0, 0.0, 4000.0})
    EXPECT_ERROR(low_cut(wave, hz), testing::HasSubstr("above 0 and below 4000 Hz"));
  FeatureSet set = parse_feature_set("rms");
  for (const double hz : {-1.0, 201.0}) {
    set.low_cut_hz = hz;
    EXPECT_ERROR(Extractor{set}, testing::HasSubstr("'low_cut_hz': expected a number in [0, 200]"));
  }
}

TEST(Hum, IsRemovedAtAnyMainsFrequencyAndRate) {
  for (const double hz : {50.0, 49.96, 60.0, 60.04}) {
    double added = 0, left = 0;
    for (const Waveform& clip : spoken()) {
      const Waveform hum = tone(hz, 0.01, clip.duration_s(), clip.sample_rate_hz, 12);
      added += hum.samples.squaredNorm();
      left += (remove_hum(clip + hum).samples - clip.samples).squaredNorm();
    }
    // A voice that hardly pauses may hide one of the lines.
    EXPECT_LT(10 * std::log10(left / added), -20) << hz;
  }
}

TEST(Hum, IsRemovedWithoutItsFirstLines) {
  for (const double mains_hz : {50.0, 49.97, 60.0}) {
    double added = 0, left = 0;
    for (const Waveform& clip : spoken()) {
      const double seconds = clip.duration_s();
      const int rate_hz = clip.sample_rate_hz;
      const Waveform of_rectifier = tone(2 * mains_hz, 0.01, seconds, rate_hz, 4);
      const Waveform without_two = {tone(mains_hz, 0.01, seconds, rate_hz, 9).samples -
                                        tone(mains_hz, 0.01, seconds, rate_hz, 2).samples,
                                    rate_hz};
      for (const Waveform& hum : {of_rectifier, without_two}) {
        added += hum.samples.squaredNorm();
        left += (remove_hum(clip + hum).samples - clip.samples).squaredNorm();
      }
    }
    EXPECT_LT(10 * std::log10(left / added), -20) << mains_hz;
  }
}

TEST(Hum, SoundWithoutItKeepsItsBits) {
  for (const Waveform& clip : spoken()) EXPECT_EQ(remove_hum(clip).samples, clip.samples);
  const Waveform silence{Eigen::VectorXf::Zero(48000), 48000};
  EXPECT_EQ(remove_hum(silence).samples, silence.samples);
}

TEST(Hum, TonesAndHeldNotesStay) {
  for (const double hz : {100.0, 200.0, 300.0}) {
    Waveform note = tone(hz, 0.1, 3, 16000, 8);
    EXPECT_EQ(remove_hum(note).samples, note.samples) << hz;
    note.samples.segment(16000, 12000).setZero();
    EXPECT_EQ(remove_hum(note).samples, note.samples) << hz;
    // In hum, too: what pauses is no line of the mains.
    const Waveform hum = tone(50, 0.001, 3, 16000, 3);
    EXPECT_LT(decibel(remove_hum(note + hum).samples - note.samples), decibel(note.samples) - 40);
  }
}

TEST(Hum, ShortSoundsKeepTheirBits) {
  const Waveform hum = tone(50, 0.1, 0.8, 16000, 5);
  EXPECT_EQ(remove_hum(hum).samples, hum.samples);
}

/// What life adds below a voice changes the features far less than what is said does.
class Disturbed : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  static Waveform disturbance(const std::string& kind, double seconds, int rate_hz) {
    if (kind == "offset")
      return {Eigen::VectorXf::Constant(std::lround(seconds * rate_hz), 0.05f), rate_hz};
    if (kind == "hum50") return tone(50, 0.0113, seconds, rate_hz, 10);
    if (kind == "hum60") return tone(60.02, 0.0113, seconds, rate_hz, 20);
    return tone(20, 0.0447, seconds, rate_hz);
  }
};

TEST_P(Disturbed, HardlyChangesAPreset) {
  const auto& [preset, kind] = GetParam();
  FeatureSet set = parse_feature_set(preset);
  if (set.pool == Pooling::kNone) set.pool = Pooling::kStats;
  const Extractor extractor(set);
  const std::vector<Waveform> clips = spoken(0.1f);
  const auto rows = static_cast<Index>(extractor.row_names().size());
  Eigen::ArrayXXd clean(rows, clips.size()), disturbed = clean;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const Waveform& quiet = clips[i];
    const Waveform under = disturbance(kind, quiet.duration_s(), quiet.sample_rate_hz);
    clean.col(static_cast<Index>(i)) = extractor.extract(quiet).col(0).cast<double>();
    disturbed.col(static_cast<Index>(i)) = extractor.extract(quiet + under).col(0).cast<double>();
  }
  const Eigen::ArrayXd sd =
      (clean.colwise() - clean.rowwise().mean()).square().rowwise().mean().sqrt().max(1e-6);
  const double change = ((disturbed - clean).abs().colwise() / sd).mean();
  EXPECT_LT(change, 0.15);
}

TEST(VoiceBand, SpeechIsFoundInHumRumbleAndOffset) {
  for (const Waveform& voice : spoken(0.1f)) {
    ASSERT_TRUE(is_speech(SharedAnalysis(voice).voice_band()));
    const double seconds = voice.duration_s();
    const int rate_hz = voice.sample_rate_hz;
    for (const Waveform& under :
         {tone(50, 0.0113, seconds, rate_hz, 10), tone(20, 0.0447, seconds, rate_hz),
          Waveform{Eigen::VectorXf::Constant(voice.samples.size(), 0.05f), rate_hz}})
      EXPECT_TRUE(is_speech(SharedAnalysis(voice + under).voice_band()));
    EXPECT_FALSE(is_speech(SharedAnalysis(tone(50, 0.1, seconds, rate_hz, 10)).voice_band()));
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, Disturbed,
                         testing::Combine(testing::Values("functionals", "frames"),
                                          testing::Values("offset", "hum50", "hum60", "rumble")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" +
                                  std::get<1>(test.param);
                         });

}  // namespace
}  // namespace ser
