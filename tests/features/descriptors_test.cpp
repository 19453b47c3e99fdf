#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "ser/core/error.h"
#include "ser/core/rng.h"
#include "ser/features/chroma.h"
#include "ser/features/descriptors.h"
#include "ser/features/extractor.h"
#include "ser/features/feature_set.h"
#include "ser/features/functionals.h"
#include "ser/features/mfcc.h"
#include "ser/features/pitch.h"
#include "ser/features/spectral.h"
#include "ser/features/temporal.h"

namespace ser {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
constexpr int kRateHz = 16000;
constexpr double kBinHz = kRateHz / 2048.0;

Eigen::VectorXf sine(double hz, double amplitude = 0.5, Eigen::Index count = kRateHz) {
  Eigen::VectorXf samples(count);
  for (Eigen::Index i = 0; i < count; ++i)
    samples[i] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / kRateHz));
  return samples;
}

FrameMatrix sine_power(double hz) { return power_spectrogram(sine(hz), {}); }

/// Values of a one-row feature away from the edges of the clip.
auto inner(const FrameMatrix& row) { return row.middleCols(4, row.cols() - 8).array(); }

TEST(Spectral, SineLiesAtItsFrequency) {
  const FrameMatrix magnitude = sine_power(1000).cwiseSqrt();
  EXPECT_LE((inner(spectral_centroid(magnitude, kBinHz)) - 1000).abs().maxCoeff(), 2);
  EXPECT_LE((inner(spectral_rolloff(magnitude, kBinHz, 0.85)) - 1000).abs().maxCoeff(),
            1.5 * kBinHz);
  EXPECT_LE(inner(spectral_bandwidth(magnitude, kBinHz)).maxCoeff(), 40);
  EXPECT_LE(inner(spectral_flatness(magnitude.cwiseAbs2(), 1e-10)).maxCoeff(), 1e-6);
}

TEST(Spectral, SilenceHasKnownValues) {
  const FrameMatrix nothing = FrameMatrix::Zero(1025, 3);
  EXPECT_EQ(spectral_centroid(nothing, kBinHz).maxCoeff(), 0);
  EXPECT_EQ(spectral_bandwidth(nothing, kBinHz).maxCoeff(), 0);
  EXPECT_EQ(spectral_rolloff(nothing, kBinHz, 0.85).maxCoeff(), 0);
  EXPECT_NEAR(spectral_flatness(nothing, 1e-10).minCoeff(), 1, 1e-5);
  EXPECT_EQ(spectral_contrast(nothing, kBinHz, {}).cwiseAbs().maxCoeff(), 0);
}

TEST(Spectral, RolloffRefusesSharesThatAreNone) {
  EXPECT_THAT([] { spectral_rolloff(FrameMatrix::Ones(9, 1), 1, 0); },
              ThrowsMessage<Error>(HasSubstr("share in (0, 1]")));
}

TEST(Spectral, ContrastFloorHidesWhatLiesBelow) {
  FrameMatrix magnitude = FrameMatrix::Constant(1025, 1, 1e-2f);
  magnitude.topRows(900).setConstant(1e-6f);
  magnitude(850, 0) = 1;
  ContrastOptions options;
  const FrameMatrix all = spectral_contrast(magnitude, kBinHz, options);
  options.floor = 1e-3;
  const FrameMatrix floored = spectral_contrast(magnitude, kBinHz, options);
  // Levels are 10 log10 of magnitudes, as librosa's: from 1e-6 to 1e-3 the valley rises by 30 dB.
  EXPECT_NEAR(all(6, 0) - floored(6, 0), 30, 1e-4);
  options.floor = 1e-7;
  EXPECT_EQ(spectral_contrast(magnitude, kBinHz, options), all);
}

TEST(Spectral, ContrastEndsAtItsHighestFrequency) {
  FrameMatrix magnitude = FrameMatrix::Constant(1025, 1, 1e-2f);
  ContrastOptions options;
  options.num_bands = 5;
  options.high_hz = 6400;
  const FrameMatrix flat = spectral_contrast(magnitude, kBinHz, options);
  magnitude.bottomRows(1024 - static_cast<Eigen::Index>(6400 / kBinHz)).setConstant(1);
  EXPECT_EQ(spectral_contrast(magnitude, kBinHz, options), flat);
  options.high_hz = 0;
  EXPECT_NE(spectral_contrast(magnitude, kBinHz, options), flat);
}

TEST(Spectral, ContrastRefusesBandsThatDoNotFit) {
  const FrameMatrix magnitude = FrameMatrix::Ones(1025, 1);
  ContrastOptions options;
  EXPECT_THAT([&] { spectral_contrast(magnitude, 8000.0 / 2048, options); },
              ThrowsMessage<Error>(HasSubstr("to start below 4000 Hz")));
  options.high_hz = 5000;
  EXPECT_THAT([&] { spectral_contrast(magnitude, 8000.0 / 2048, options); },
              ThrowsMessage<Error>(HasSubstr("expected high_hz up to half the sampling rate")));
  options = {};
  options.quantile = 1;
  EXPECT_THAT([&] { spectral_contrast(magnitude, kBinHz, options); },
              ThrowsMessage<Error>(HasSubstr("quantile in (0, 1)")));
  options = {};
  options.floor = -1;
  EXPECT_THAT([&] { spectral_contrast(magnitude, kBinHz, options); },
              ThrowsMessage<Error>(HasSubstr("floor >= 0")));
  options = {};
  options.low_hz = 10;
  EXPECT_THAT([&] { spectral_contrast(FrameMatrix::Ones(33, 1), 250, options); },
              ThrowsMessage<Error>(HasSubstr("narrower than two FFT bins")));
}

TEST(Chroma, SineSoundsInItsPitchClass) {
  for (int note = 0; note < 12; ++note) {
    const double hz = 440 * std::exp2((note - 9) / 12.0);
    const FrameMatrix classes = chroma(sine_power(hz), chroma_filterbank(2048, kRateHz, 0));
    Eigen::Index loudest = -1;
    classes.col(15).maxCoeff(&loudest);
    EXPECT_EQ(loudest, note) << hz;
    EXPECT_FLOAT_EQ(classes.col(15).maxCoeff(), 1);
  }
}

TEST(Chroma, TuningIsFound) {
  for (const double tuning : {-0.3, 0.0, 0.2})
    EXPECT_NEAR(estimate_tuning(sine_power(880 * std::exp2(tuning / 12)), 2048, kRateHz), tuning,
                0.021);
  EXPECT_EQ(estimate_tuning(FrameMatrix::Zero(1025, 5), 2048, kRateHz), 0);
}

TEST(Mel, BandsCoverTheirRange) {
  const FrameMatrix mel = mel_spectrogram(sine_power(1000), {}, kRateHz);
  Eigen::Index loudest = -1;
  mel.col(15).maxCoeff(&loudest);
  const double step = hz_to_mel(8000, MelScale::kSlaney) / 129;
  EXPECT_NEAR(static_cast<double>(loudest + 1), 15 / step, 1);
  for (const MelScale scale : {MelScale::kSlaney, MelScale::kHtk})
    for (const double hz : {50.0, 999.0, 5000.0})
      EXPECT_NEAR(mel_to_hz(hz_to_mel(hz, scale), scale), hz, 1e-9 * hz);
}

TEST(Mel, RefusesRangesThatDoNotFit) {
  const FrameMatrix power = FrameMatrix::Zero(1025, 1);
  MelOptions options;
  options.high_hz = 9000;
  EXPECT_THAT([&] { mel_spectrogram(power, options, kRateHz); },
              ThrowsMessage<Error>(HasSubstr("within 0 to 8000 Hz")));
  options = {};
  options.num_bands = 0;
  EXPECT_THAT([&] { mel_spectrogram(power, options, kRateHz); },
              ThrowsMessage<Error>(HasSubstr("num_bands")));
}

TEST(Mel, DecibelsKeepTheirRange) {
  FrameMatrix power(1, 3);
  power << 1, 1e-3f, 0;
  const FrameMatrix db = power_to_db(power);
  EXPECT_NEAR(db(0, 0), 0, 1e-5);
  EXPECT_NEAR(db(0, 1), -30, 1e-4);
  EXPECT_NEAR(db(0, 2), -80, 1e-4);
  EXPECT_NEAR(power_to_db(power, {1e-10, 0})(0, 2), -100, 1e-4);
}

TEST(Mel, StandardizedClipHasUnitVariance) {
  FrameMatrix values(1, 4);
  values << 1, 2, 3, 4;
  const FrameMatrix unit = standardize(values);
  EXPECT_NEAR(unit.mean(), 0, 1e-6);
  EXPECT_NEAR(unit.squaredNorm() / 4, 1, 1e-6);
  EXPECT_EQ(standardize(FrameMatrix::Constant(2, 3, 5)).cwiseAbs().maxCoeff(), 0);
}

TEST(Mfcc, TransformIsOrthonormal) {
  const Eigen::MatrixXd dct = dct_matrix(20, 20);
  EXPECT_LE((dct * dct.transpose() - Eigen::MatrixXd::Identity(20, 20)).norm(), 1e-12);
  EXPECT_THAT([] { dct_matrix(41, 40); }, ThrowsMessage<Error>(HasSubstr("mel bands (40)")));
}

TEST(Delta, LineHasItsSlopeAndParabolaItsCurvature) {
  FrameMatrix values(2, 20);
  for (int t = 0; t < 20; ++t)
    values.col(t) << 3.0f * static_cast<float>(t), static_cast<float>(t * t);
  EXPECT_LE((delta(values, 1).row(0).array() - 3).abs().maxCoeff(), 1e-4);
  EXPECT_LE((delta(values, 2).row(1).array() - 2).abs().maxCoeff(), 1e-4);
  EXPECT_LE(delta(values, 2).row(0).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(Delta, FewFramesContinueByTheirEdges) {
  FrameMatrix values(1, 3);
  values << 0, 1, 2;
  // (1 * 1 + (2 + 3 + 4) * 2) / 60 at the first frame.
  EXPECT_NEAR(delta(values, 1)(0, 0), 19.0 / 60, 1e-6);
  EXPECT_NEAR(delta(FrameMatrix::Ones(1, 1), 1)(0, 0), 0, 1e-6);
  EXPECT_THAT([&] { delta(values, 3); }, ThrowsMessage<Error>(HasSubstr("order 1 or 2")));
}

TEST(Temporal, SineHasItsLevelAndCrossings) {
  EXPECT_LE((inner(rms(sine(1000), {})) - 0.5f / std::sqrt(2.0f)).abs().maxCoeff(), 1e-4);
  EXPECT_LE((inner(zero_crossing_rate(sine(1000), {})) - 2 * 1000.0f / kRateHz).abs().maxCoeff(),
            1.0f / 2048);
  EXPECT_LE((inner(log_energy(sine(1000), {})) - std::log(2048 / 8.0f)).abs().maxCoeff(), 1e-3);
  EXPECT_FLOAT_EQ(log_energy(Eigen::VectorXf::Zero(2000), {}).maxCoeff(), std::log(1e-10f));
  EXPECT_THAT([] { rms(sine(100), {0, 512}); }, ThrowsMessage<Error>(HasSubstr("frame_samples")));
}

class PitchOfSine : public testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Hz, PitchOfSine, testing::Values(70, 99, 150.5, 233, 410, 490));

TEST_P(PitchOfSine, IsFoundAtAnyGain) {
  for (const double amplitude : {0.5, 1e-4}) {
    const PitchTrack track = track_pitch(sine(GetParam(), amplitude), kRateHz, {});
    const auto hz = track.hz.segment(3, track.hz.size() - 6).array();
    EXPECT_LE((hz / static_cast<float>(GetParam()) - 1).abs().maxCoeff(), 2e-3);
    EXPECT_GE(track.periodicity.segment(3, hz.size()).minCoeff(), 0.99f);
  }
}

TEST(Pitch, AnOffsetChangesNothing) {
  Eigen::VectorXf voice(3 * kRateHz);
  Rng rng(1, 0);
  for (float& x : voice) x = 1e-3f * static_cast<float>(rng.normal());
  voice.segment(kRateHz, kRateHz) += sine(150, 0.1).head(kRateHz);
  const auto tracks = [&](float offset) {
    const Waveform wave{(voice.array() + offset).matrix(), kRateHz};
    return std::pair(track_pitch(wave.samples, kRateHz, {}),
                     Extractor(parse_feature_set("f0", Pooling::kNone)).extract(wave));
  };
  const auto [plain, row] = tracks(0);
  EXPECT_GT((plain.hz.array() > 0).count(), plain.hz.size() / 4);
  for (const float offset : {0.002f, 0.05f}) {
    const auto [track, offset_row] = tracks(offset);
    // Where the recording begins and ends, the offset does, which is a step.
    const Eigen::Index inner = plain.hz.size() - 6;
    EXPECT_LE((track.hz - plain.hz).segment(3, inner).cwiseAbs().maxCoeff(), 0.1f) << offset;
    EXPECT_LE((track.periodicity - plain.periodicity).segment(3, inner).cwiseAbs().maxCoeff(),
              0.02f);
    EXPECT_EQ(offset_row.row(0).transpose(), track.hz);
  }
}

TEST(Pitch, SilenceIsUnvoiced) {
  const PitchTrack track = track_pitch(Eigen::VectorXf::Zero(kRateHz), kRateHz, {});
  EXPECT_EQ(track.hz.maxCoeff(), 0);
  EXPECT_EQ(track.periodicity.maxCoeff(), 0);
}

TEST(Pitch, RefusesOptionsThatDoNotFit) {
  const auto with = [](PitchOptions options) {
    return [options] { track_pitch(sine(100), kRateHz, options); };
  };
  EXPECT_THAT(with({.low_hz = 600}), ThrowsMessage<Error>(HasSubstr("low_hz < high_hz")));
  EXPECT_THAT(with({.frame_samples = 400}), ThrowsMessage<Error>(HasSubstr("two periods")));
  EXPECT_THAT(with({.hop_samples = 0}), ThrowsMessage<Error>(HasSubstr("hop_samples")));
  EXPECT_THAT(with({.min_periodicity = 2}), ThrowsMessage<Error>(HasSubstr("min_periodicity")));
}

TEST(Functionals, DescribeALine) {
  const Eigen::VectorXd times = Eigen::VectorXd::LinSpaced(101, 0, 1);
  const Eigen::VectorXd values = 5 + 2 * times.array();
  const Eigen::VectorXd found = functionals(times, values);
  const double expected[] = {6,   2 * std::sqrt(0.085), 0, 5.1, 5.4, 6, 6.6, 6.9, 1.8, 2, -0.67,
                             0.67};
  for (Eigen::Index i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-9) << kFunctionals[static_cast<std::size_t>(i)];
  EXPECT_EQ(functionals({}, {}).cwiseAbs().maxCoeff(), 0);
}

TEST(Functionals, OfRowsAreThoseOfEachContour) {
  Rng rng(4, 0);
  for (const Eigen::Index frames : {0, 1, 2, 3, 7, 64, 301}) {
    FrameMatrix rows(19, frames);
    for (float& x : rows.reshaped()) x = static_cast<float>(rng.normal());
    const Eigen::VectorXd times = Eigen::VectorXd::LinSpaced(frames, 0, 0.01 * double(frames));
    const FrameMatrix found = functionals_of_rows(times, rows), sorted = sorted_rows(rows);
    ASSERT_EQ(found.rows(), 19);
    for (Eigen::Index r = 0; r < rows.rows(); ++r) {
      const Eigen::VectorXd contour = rows.row(r).transpose().cast<double>();
      EXPECT_EQ(found.row(r).transpose(), functionals(times, contour).cast<float>()) << frames;
      EXPECT_TRUE(std::is_sorted(sorted.row(r).begin(), sorted.row(r).end())) << frames;
    }
  }
}

TEST(Voice, RefusesLowRates) {
  const PitchTrack track{Eigen::VectorXf::Zero(1), Eigen::VectorXf::Zero(1)};
  EXPECT_THAT([&] { voice_quality(FrameMatrix::Zero(513, 1), 8000.0 / 1024, track); },
              ThrowsMessage<Error>(HasSubstr("at least 10000 Hz, found 8000 Hz")));
}

TEST(Voice, SlopeAndAlphaRatioFollowTheSpectrum) {
  // 12 dB less per kHz.
  FrameMatrix power(513, 1);
  for (int k = 0; k < 513; ++k) power(k, 0) = static_cast<float>(std::pow(10, -1.2 * k / 64.0));
  const PitchTrack track{Eigen::VectorXf::Constant(1, 200), Eigen::VectorXf::Constant(1, 0.9f)};
  const FrameMatrix rows = voice_quality(power, 15.625, track);
  EXPECT_NEAR(rows(2, 0), -12, 0.01);
  EXPECT_NEAR(rows(3, 0), -12, 0.01);
  EXPECT_NEAR(rows(0, 0), 10.926, 0.001);
  EXPECT_NEAR(rows(5, 0), 2.4, 0.2);
  EXPECT_NEAR(rows(7, 0), 10 * std::log10(9), 1e-4);
}

TEST(Prosody, DescribesARisingVoice) {
  // One octave up in one second from 110 Hz, voiced throughout, at constant level.
  PitchTrack track{Eigen::VectorXf(101), Eigen::VectorXf::Ones(101)};
  for (int t = 0; t <= 100; ++t) track.hz[t] = static_cast<float>(110 * std::exp2(t / 100.0));
  const Eigen::VectorXf rows = prosody(track, Eigen::RowVectorXf::Constant(101, -20), 0.01);
  const std::vector<std::string> names = prosody_names();
  ASSERT_EQ(rows.size(), static_cast<Eigen::Index>(names.size()));
  const auto row = [&](const std::string& name) {
    const auto at = std::find(names.begin(), names.end(), "prosody." + name);
    EXPECT_NE(at, names.end()) << name;
    return rows[at - names.begin()];
  };
  EXPECT_NEAR(row("f0.mean"), 30, 1e-3);
  EXPECT_NEAR(row("f0.slope"), 12, 1e-3);
  EXPECT_NEAR(row("f0.segment_slope.mean"), 12, 1e-3);
  EXPECT_NEAR(row("f0.rising_share"), 1, 1e-6);
  EXPECT_NEAR(row("voiced.share"), 1, 1e-6);
  EXPECT_NEAR(row("level.sd"), 0, 1e-6);
  EXPECT_NEAR(row("pause.share"), 0, 1e-6);
}

TEST(Melody, IsRelativeToTheClip) {
  PitchTrack track{Eigen::VectorXf(5), Eigen::VectorXf::Constant(5, 0.75f)};
  track.hz << 0, 110, 220, 440, 0;
  Eigen::RowVectorXf level(5);
  level << -100, -40, -20, -20, -20;
  const FrameMatrix rows = melody(track, level);
  FrameMatrix expected(kMelodyRows, 5);
  const float height = std::log2(220 / 165.0f);
  expected << 0, -2, 0, 2, 0,                // half octaves around the median
      0, height - 1, height, height + 1, 0,  // octaves above 165 Hz
      0.75f, 0.75f, 0.75f, 0.75f, 0.75f, -3, -1, 0, 0, 0;
  EXPECT_TRUE(rows.isApprox(expected, 1e-5f)) << rows;
}

TEST(Melody, OfSilenceIsFinite) {
  const PitchTrack track{Eigen::VectorXf::Zero(3), Eigen::VectorXf::Zero(3)};
  EXPECT_EQ(melody(track, Eigen::RowVectorXf::Constant(3, -100)), FrameMatrix::Zero(4, 3));
}

}  // namespace
}  // namespace ser
