#include "ser/audio/augment.h"

#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "audio/signals.h"
#include "ser/audio/level.h"

namespace ser {
namespace {

/// Ten harmonics that fall by 6 dB each, as a voiced sound has them.
Waveform voice(double f0_hz, double duration_s) {
  Waveform wave = sine(f0_hz, duration_s, kRateHz, 0.3);
  for (int harmonic = 2; harmonic <= 10; ++harmonic)
    wave.samples += sine(harmonic * f0_hz, duration_s, kRateHz, 0.3 / harmonic).samples;
  return wave;
}

/// The fundamental of the middle of `wave`: the first high peak of its autocorrelation, refined by
/// a parabola.
double fundamental_hz(const Waveform& wave) {
  const Eigen::VectorXd x = wave.samples.cast<double>().segment(wave.samples.size() / 4, 4000);
  const auto correlation = [&](Eigen::Index lag) {
    return x.head(3500).dot(x.segment(lag, 3500)) /
           (x.head(3500).norm() * x.segment(lag, 3500).norm());
  };
  Eigen::Index lag = kRateHz / 400;
  while (correlation(lag) < 0.85) ++lag;
  while (correlation(lag + 1) > correlation(lag)) ++lag;
  const double before = correlation(lag - 1), at = correlation(lag), after = correlation(lag + 1);
  return kRateHz / (static_cast<double>(lag) + 0.5 * (before - after) / (before - 2 * at + after));
}

Waveform augmented(const Waveform& wave, const std::string& name, std::uint64_t seed = 1) {
  Rng rng(seed, 0);
  return augment(wave, parse_augmentations(name).at(0), rng);
}

TEST(Augment, ListNamesOneCopyEach) {
  std::vector<std::string> names;
  const char* const list = "speed:0.9,1.1, noise:20,gain:-6,6,speed:0.9 + gain:3,4";
  for (const Augmentation& one : parse_augmentations(list)) names.push_back(augmentation_name(one));
  EXPECT_THAT(names, testing::ElementsAre("speed:0.9", "speed:1.1", "noise:20", "gain:-6", "gain:6",
                                          "speed:0.9+gain:3", "gain:4"));
  EXPECT_TRUE(parse_augmentations("").empty());
}

TEST(Augment, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(error_of([] { parse_augmentations("spede:0.9"); }),
            "augmentation: expected one of speed, gain, noise, babble, band, low_cut, reverb, "
            "found 'spede' (did you mean 'speed'?)");
  EXPECT_EQ(error_of([] { parse_augmentations("0.9"); }),
            "augmentation: expected KIND:AMOUNT such as speed:0.9, found '0.9'");
  EXPECT_EQ(error_of([] { parse_augmentations("speed:0.9,,1.1"); }),
            "augmentation: expected KIND:AMOUNT, found nothing");
  EXPECT_EQ(error_of([] { parse_augmentations("speed:fast"); }),
            "augmentation speed: expected a number, found 'fast'");
  EXPECT_EQ(error_of([] { parse_augmentations("speed:0.9,0"); }),
            "augmentation speed: expected 0.5 to 2, found 0");
  EXPECT_THAT(error_of([] { parse_augmentations("gain:nan"); }), testing::HasSubstr("finite"));
  EXPECT_EQ(error_of([] { parse_augmentations("speed:0.9,noise:20,speed:0.90"); }),
            "augmentation: expected each copy once, found speed:0.9 twice");
}

TEST(Augment, SpeedChangesDurationAndPitch) {
  const Waveform wave = voice(150, 1);
  for (const double factor : {0.5, 0.9, 1.1, 1.6}) {
    const Waveform changed = augmented(wave, "speed:" + std::to_string(factor));
    EXPECT_EQ(changed.sample_rate_hz, kRateHz);
    EXPECT_EQ(changed.samples.size(), std::lround(kRateHz / factor));
    EXPECT_NEAR(fundamental_hz(changed), 150 * factor, 0.01 * 150 * factor);
  }
}

/// Amplitude of a steady sine in the middle of `wave`.
double amplitude(const Waveform& wave, double hz) {
  std::complex<double> sum = 0;
  for (Eigen::Index i = 4000; i < 12000; ++i)
    sum += static_cast<double>(wave.samples[i]) *
           std::polar(1.0, -2 * std::numbers::pi * hz * static_cast<double>(i) / kRateHz);
  return std::abs(sum) / 4000;
}

TEST(Augment, BandLeavesNothingAboveItsLimit) {
  Waveform wave = sine(1000, 1, kRateHz, 0.3);
  wave.samples += sine(6000, 1, kRateHz, 0.3).samples;
  const Waveform changed = augmented(wave, "band:4000");
  EXPECT_EQ(changed.samples.size(), wave.samples.size());
  EXPECT_NEAR(amplitude(changed, 1000), 0.3, 1e-3);
  EXPECT_LT(amplitude(changed, 6000), 1e-3);
  EXPECT_EQ(augmented(wave, "band:9000").samples, wave.samples);
}

TEST(Augment, LowCutLeavesNothingBelowItsLimit) {
  Waveform wave = sine(1000, 1, kRateHz, 0.3);
  wave.samples += sine(100, 1, kRateHz, 0.3).samples;
  const Waveform changed = augmented(wave, "low_cut:300");
  EXPECT_EQ(changed.samples.size(), wave.samples.size());
  EXPECT_NEAR(amplitude(changed, 1000), 0.3, 1e-3);
  EXPECT_LT(amplitude(changed, 100), 1e-3);
  EXPECT_EQ(error_of([] { parse_augmentations("low_cut:500"); }),
            "augmentation low_cut: expected 20 to 400, found 500");
}

TEST(Augment, ReverbIsTheSoundAndATailThatFallsBySixtyDecibels) {
  Waveform click{Eigen::VectorXf::Zero(kRateHz), kRateHz};
  click.samples[100] = 1;
  const Waveform wet = augmented(click, "reverb:0.5");
  EXPECT_EQ(wet.samples.size(), click.samples.size());
  EXPECT_NEAR(wet.samples.norm(), 1, 1e-4);
  EXPECT_LT(wet.samples.head(100).norm(), 1e-4);
  const float direct = std::abs(wet.samples[100]), tail = wet.samples.segment(101, 8000).norm();
  EXPECT_NEAR(tail / direct, 1, 0.02);
  const auto level_db = [&](double after_s) {
    const auto at = 100 + static_cast<Eigen::Index>(after_s * kRateHz);
    return 20 * std::log10(wet.samples.segment(at, 400).norm());
  };
  EXPECT_NEAR(level_db(0.05) - level_db(0.35), 60 * 0.3 / 0.5, 1.5);
}

TEST(Augment, StepsFollowOneAnother) {
  const Waveform wave = voice(150, 1);
  EXPECT_EQ(augmented(wave, "speed:0.9+gain:-6").samples,
            augmented(augmented(wave, "speed:0.9"), "gain:-6").samples);
}

TEST(Augment, GainIsInDecibels) {
  const Waveform wave = voice(150, 0.2);
  EXPECT_NEAR(active_rms(augmented(wave, "gain:-20")) / active_rms(wave), 0.1, 1e-6);
  EXPECT_NEAR(active_rms(augmented(wave, "gain:20")) / active_rms(wave), 10, 1e-5);
}

/// What noise does, and babble.
class Noise : public testing::TestWithParam<std::string> {};

TEST_P(Noise, HitsTheRatio) {
  Waveform wave = voice(150, 1);
  wave.samples.tail(8000).setZero();  // pauses do not change the level of the voice
  for (const double snr_db : {-5.0, 0.0, 20.0, 40.0}) {
    const Waveform noisy = augmented(wave, GetParam() + ":" + std::to_string(snr_db));
    const Eigen::VectorXd noise = (noisy.samples - wave.samples).cast<double>();
    const double noise_rms = noise.norm() / std::sqrt(static_cast<double>(noise.size()));
    EXPECT_NEAR(20 * std::log10(active_rms(wave) / noise_rms), snr_db, 0.1);
  }
}

TEST_P(Noise, IsDrawnFromTheSeed) {
  const Waveform wave = voice(150, 0.5);
  const std::string name = GetParam() + ":10";
  EXPECT_EQ(augmented(wave, name, 3).samples, augmented(wave, name, 3).samples);
  EXPECT_NE(augmented(wave, name, 3).samples, augmented(wave, name, 4).samples);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Noise, testing::Values("noise", "babble"));

TEST(Augment, SameBitsEveryTime) {
  const Waveform wave = voice(150, 0.5);
  EXPECT_EQ(augmented(wave, "speed:1.1").samples, augmented(wave, "speed:1.1").samples);
}

TEST(Augment, SilenceStaysSilence) {
  const Waveform silence{Eigen::VectorXf::Zero(4000), kRateHz};
  for (const char* name :
       {"speed:1.1", "gain:6", "noise:10", "babble:10", "band:3000", "low_cut:300", "reverb:0.3"})
    EXPECT_TRUE(augmented(silence, name).samples.isZero(0)) << name;
}

}  // namespace
}  // namespace ser
