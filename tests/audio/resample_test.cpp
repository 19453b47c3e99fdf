#include "ser/audio/resample.h"

#include <gmock/gmock.h>

#include "audio/signals.h"
#include "audio/soxr_resample.h"

namespace ser {
namespace {

TEST(Resample, SizeIsRoundedUp) {
  for (const auto& [size, from, to, expected] :
       {std::tuple{48000, 48000, 22050, 22050}, std::tuple{48001, 48000, 22050, 22051},
        std::tuple{320, 48000, 22050, 147}, std::tuple{1, 48000, 16000, 1},
        std::tuple{100, 8000, 48000, 600}, std::tuple{0, 8000, 48000, 0}})
    EXPECT_EQ(resample({Eigen::VectorXf::Zero(size), from}, to).samples.size(), expected);
}

TEST(Resample, SineStaysTheSameSine) {
  for (const int rate_hz : {8000, 16000, 22050, 44100, 96000}) {
    const Waveform wave = resample(sine(440, 0.5, 48000), rate_hz);
    const Waveform expected = sine(440, 0.5, rate_hz);
    EXPECT_EQ(wave.sample_rate_hz, rate_hz);
    const Eigen::Index edge = rate_hz / 20, inner = expected.samples.size() - 2 * edge;
    EXPECT_LT((wave.samples - expected.samples).segment(edge, inner).cwiseAbs().maxCoeff(), 1e-4f);
  }
}

TEST(Resample, WhatIsAboveTheNewBandIsGone) {
  const Waveform wave = resample(sine(15000, 0.5, 48000), 16000);
  EXPECT_LT(wave.samples.segment(800, 6400).cwiseAbs().maxCoeff(), 1e-4f);
}

TEST(Resample, SameRateIsACopy) {
  const Waveform wave = sine(440, 0.2, 16000);
  EXPECT_EQ(resample(wave, 16000).samples, wave.samples);
}

TEST(Resample, RefusesAbsurdRates) {
  EXPECT_EQ(error_of([] { resample(sine(440, 0.2, 16000), 400001); }),
            "resampling: expected rates of 1 to 400000 Hz, found 16000 Hz to 400001 Hz");
  EXPECT_EQ(error_of([] { resample(sine(440, 0.2, 16000), 0); }),
            "resampling: expected rates of 1 to 400000 Hz, found 16000 Hz to 0 Hz");
  EXPECT_EQ(error_of([] {
              resample({Eigen::VectorXf::Zero(9), -1}, 8000);
            }),
            "resampling: expected rates of 1 to 400000 Hz, found -1 Hz to 8000 Hz");
  EXPECT_EQ(error_of([] {
              resample({Eigen::VectorXf::Zero(9), 2000000000}, 8000);
            }),
            "resampling: expected rates of 1 to 400000 Hz, found 2000000000 Hz to 8000 Hz");
  EXPECT_THAT(error_of([] { soxr_resample(Eigen::VectorXf::Ones(9), -1, 1, 9); }),
              testing::HasSubstr("resampling: expected rates that libsoxr converts, found -1 Hz"));
}

}  // namespace
}  // namespace ser
