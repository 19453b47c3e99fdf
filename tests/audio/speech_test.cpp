#include "ser/audio/speech.h"

#include <gmock/gmock.h>

#include <array>
#include <filesystem>
#include <functional>

#include "audio/signals.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/audio/resample.h"
#include "ser/core/rng.h"
#include "support/paths.h"
#include "support/skip.h"

namespace ser {
namespace {

/// Spoken by espeak-ng: one clip of each emotion.
std::vector<Waveform> spoken() {
  const std::filesystem::path folder = source_folder() / "data" / "demo" / "Actor_02";
  std::vector<Waveform> waves;
  for (int emotion = 1; emotion <= 8; ++emotion)
    waves.push_back(
        read_audio(folder / ("03-01-0" + std::to_string(emotion) + "-01-01-01-02.flac")));
  return waves;
}

Waveform silence(double duration_s, int rate_hz) {
  return {Eigen::VectorXf::Zero(std::lround(duration_s * rate_hz)), rate_hz};
}

Waveform joined(const std::vector<Waveform>& waves) {
  Waveform all{{}, waves.front().sample_rate_hz};
  for (const Waveform& wave : waves) {
    const Eigen::Index size = all.samples.size();
    all.samples.conservativeResize(size + wave.samples.size());
    all.samples.tail(wave.samples.size()) = wave.samples;
  }
  return all;
}

/// A function of time, sampled.
Waveform sampled(const std::function<double(double)>& f, double duration_s, int rate_hz) {
  Waveform wave = silence(duration_s, rate_hz);
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i)
    wave.samples[i] = static_cast<float>(f(static_cast<double>(i) / rate_hz));
  return wave;
}

double wave_of(double hz, double t) { return std::sin(2 * std::numbers::pi * hz * t); }

/// Noise that falls by 0, 3 or 6 dB an octave: white, pink (P. Kellet's filter), brown.
Waveform noise(int decibel_an_octave, double duration_s, int rate_hz) {
  Rng rng(11, static_cast<std::uint64_t>(rate_hz));
  std::array<double, 3> state{};
  return sampled(
      [&](double) {
        const double white = 0.02 * rng.normal();
        if (decibel_an_octave == 0) return white;
        if (decibel_an_octave == 6) return state[0] = 0.995 * state[0] + white;
        state[0] = 0.99765 * state[0] + 0.0990460 * white;
        state[1] = 0.96300 * state[1] + 0.2965164 * white;
        state[2] = 0.57000 * state[2] + 1.0526913 * white;
        return state[0] + state[1] + state[2] + 0.1848 * white;
      },
      duration_s, rate_hz);
}

TEST(Speech, IsFoundAtAnyRateAndGain) {
  for (const Waveform& wave : spoken()) {
    EXPECT_TRUE(is_speech(wave));
    for (const int rate_hz : {8000, 16000, 44100}) EXPECT_TRUE(is_speech(resample(wave, rate_hz)));
    for (const float gain : {1e-3f, 0.1f, 10.0f})
      EXPECT_TRUE(is_speech({wave.samples * gain, wave.sample_rate_hz})) << gain;
  }
}

TEST(Speech, IsFoundInNoise) {
  Rng rng(5, 0);
  for (const Waveform& wave : spoken())
    EXPECT_TRUE(is_speech(augment(wave, parse_augmentations("noise:10")[0], rng)));
}

TEST(Speech, IsNotFoundInSilenceAndNextToNothing) {
  for (const double duration_s : {0.0, 0.01, 0.1, 3.0, 12.0})
    EXPECT_FALSE(is_speech(silence(duration_s, 16000))) << duration_s;
  const Waveform offset{Eigen::VectorXf::Constant(32000, 0.3f), 16000};
  EXPECT_FALSE(is_speech(offset));
  EXPECT_FALSE(is_speech({spoken()[0].samples.head(3000), spoken()[0].sample_rate_hz}));
}

TEST(Speech, IsNotFoundInNoise) {
  for (const int slope : {0, 3, 6})
    for (const int rate_hz : {8000, 22050, 48000})
      for (const double duration_s : {1.0, 3.0})
        EXPECT_FALSE(is_speech(noise(slope, duration_s, rate_hz))) << slope << " " << rate_hz;
}

TEST(Speech, IsNotFoundInNoiseThatComesAndGoes) {
  Waveform waves = noise(3, 3, 16000);
  for (Eigen::Index i = 0; i < waves.samples.size(); ++i)
    waves.samples[i] *= static_cast<float>(1 + wave_of(4, static_cast<double>(i) / 16000));
  EXPECT_FALSE(is_speech(waves));
}

TEST(Speech, IsNotFoundInHum) {
  for (const double mains_hz : {50.0, 60.0})
    for (const int harmonics : {1, 10, 40}) {
      const auto hum = [&](double t) {
        double sum = 0;
        for (int k = 1; k <= harmonics; ++k) sum += wave_of(k * mains_hz, t) / k;
        return 0.1 * sum;
      };
      EXPECT_FALSE(is_speech(sampled(hum, 2, 16000))) << mains_hz << " " << harmonics;
    }
}

TEST(Speech, IsNotFoundInTones) {
  for (const double hz : {100.0, 220.0, 440.0, 1000.0, 3500.0})
    for (const double duration_s : {1.0, 4.0})
      EXPECT_FALSE(is_speech(sine(hz, duration_s, 16000))) << hz;
  const auto sweep = [](double t) { return 0.5 * wave_of(100 + 400 * t, t); };
  EXPECT_FALSE(is_speech(sampled(sweep, 3, 16000)));
  const auto siren = [](double t) { return 0.5 * std::sin(4000 * t + 800 * wave_of(0.5, t)); };
  EXPECT_FALSE(is_speech(sampled(siren, 3, 16000)));
  const auto beeps = [](double t) { return std::fmod(t, 0.25) < 0.12 ? 0.5 * wave_of(600, t) : 0; };
  EXPECT_FALSE(is_speech(sampled(beeps, 3, 16000)));
}

TEST(Speech, IsNotFoundInClicks) {
  for (const double every_s : {0.02, 0.15, 0.5}) {
    const auto clicks = [&](double t) { return std::fmod(t, every_s) < 1e-4 ? 0.9 : 0.0; };
    EXPECT_FALSE(is_speech(sampled(clicks, 3, 16000))) << every_s;
  }
}

TEST(Speech, IsNotFoundInChordsAndTunes) {
  const std::array<double, 8> scale = {220, 247, 262, 294, 330, 349, 392, 440};
  for (const int voices : {1, 3}) {
    const auto plucked = [&](double t) {
      const auto note = static_cast<std::size_t>(t / 0.3);
      double sum = 0;
      for (std::size_t v = 0; v < static_cast<std::size_t>(voices); ++v)
        for (int k = 1; k < 8; ++k) sum += wave_of(k * scale[(3 * note + 2 * v) % 8], t) / (k * k);
      return 0.2 * sum * std::exp(-6 * std::fmod(t, 0.3));
    };
    EXPECT_FALSE(is_speech(sampled(plucked, 4, 16000))) << voices;
  }
}

TEST(Speech, PartsAreWhereItIs) {
  const Waveform clip = resample(spoken()[4], 16000);
  const Waveform wave = joined({silence(1.5, 16000), clip, silence(1.5, 16000)});
  const Speech speech = find_speech(wave);
  ASSERT_TRUE(speech.found);
  EXPECT_GT(speech.parts.front().begin, 1.2 * 16000);
  EXPECT_LT(speech.parts.back().end, wave.samples.size() - 1.2 * 16000);
  Eigen::Index spoken_samples = 0, last = -1;
  for (const auto [begin, end] : speech.parts) {
    EXPECT_GT(begin, last);
    EXPECT_GT(end, begin);
    spoken_samples += end - begin;
    last = end;
  }
  EXPECT_GT(spoken_samples, clip.samples.size() / 2);
}

TEST(Speech, LongRecordingsAreJudgedPieceByPiece) {
  const Waveform clip = resample(spoken()[0], 16000);
  const Waveform among_silence = joined({silence(20, 16000), clip, silence(20, 16000)});
  EXPECT_TRUE(is_speech(among_silence));
  const Waveform tone = sine(300, 20, 16000, 0.05);
  const Waveform among_tones = joined({tone, clip, tone});
  EXPECT_FALSE(is_speech(among_tones));
  EXPECT_THAT(find_speech(among_tones).parts, testing::IsEmpty());
}

TEST(Speech, IsFoundInRecordingsOfActors) {
  const auto root = test_data() / "ravdess";
  SER_SKIP_WITHOUT(root);
  int clips = 0, found = 0;
  for (int actor = 1; actor <= 20; actor += 5) {
    const std::string number = (actor < 10 ? "0" : "") + std::to_string(actor);
    for (const auto& entry : std::filesystem::directory_iterator(root / ("Actor_" + number))) {
      found += is_speech(read_audio(entry.path()));
      ++clips;
    }
  }
  EXPECT_GE(found, 0.98 * clips) << found << " of " << clips;
}

}  // namespace
}  // namespace ser
