#include "ser/features/feature_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "features/internal/feature_set.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/core/rng.h"
#include "ser/features/extractor.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

Waveform silence(double seconds, int rate_hz = 16000) {
  return {Eigen::VectorXf::Zero(std::lround(seconds * rate_hz)), rate_hz};
}

Waveform noise(double seconds, int rate_hz = 16000) {
  Waveform wave = silence(seconds, rate_hz);
  Rng rng(7, 0);
  for (float& sample : wave.samples) sample = static_cast<float>(0.1 * rng.normal());
  return wave;
}

/// Harmonics of a gliding voice with pauses, in light noise.
Waveform voice(int rate_hz = 16000) {
  Waveform wave = silence(2, rate_hz);
  Rng rng(8, 0);
  double phase = 0;
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i) {
    const double time_s = static_cast<double>(i) / rate_hz;
    phase += 2 * std::numbers::pi * (140 + 40 * std::sin(4 * time_s)) / rate_hz;
    const double loudness = std::max(0.0, std::sin(9 * time_s));
    double sample = 1e-3 * rng.normal();
    for (int h = 1; h < 20; ++h) sample += loudness * 0.2 / h * std::sin(h * phase);
    wave.samples[i] = static_cast<float>(sample);
  }
  return wave;
}

class EveryFeature : public testing::TestWithParam<std::string_view> {
 protected:
  FeatureSet set() const {
    FeatureSet set;
    set.features.push_back(make_feature(GetParam()));
    if (set.features[0]->hop_samples() == 0) set.pool = Pooling::kMean;
    return set;
  }
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryFeature,
                         testing::ValuesIn(feature_types().begin(), feature_types().end()),
                         [](const auto& type) { return std::string(type.param); });

TEST_P(EveryFeature, IsFiniteAndNamedOnAnySignal) {
  const Extractor extractor(set());
  EXPECT_EQ(set().features[0]->type(), GetParam());
  for (const Waveform& wave : {silence(1), noise(1), noise(0.1), silence(0.1), voice()}) {
    const Eigen::MatrixXf features = extractor.extract(wave);
    EXPECT_EQ(features.rows(), static_cast<Eigen::Index>(extractor.row_names().size()));
    EXPECT_TRUE(features.allFinite());
    const int hop = set().features[0]->hop_samples();
    EXPECT_EQ(features.cols(), hop == 0 ? 1 : 1 + wave.samples.size() / hop);
  }
}

TEST_P(EveryFeature, PoolsToFiniteNumbers) {
  for (const Pooling pooling : {Pooling::kMean, Pooling::kStats}) {
    FeatureSet pooled = set();
    pooled.pool = pooling;
    pooled.features[0]->pool_over = PoolOver::kVoiced;
    const Extractor extractor(pooled);
    for (const Waveform& wave : {silence(1), noise(0.1), voice()}) {
      const Eigen::MatrixXf features = extractor.extract(wave);
      EXPECT_EQ(features.cols(), 1);
      EXPECT_EQ(features.rows(), static_cast<Eigen::Index>(extractor.row_names().size()));
      EXPECT_TRUE(features.allFinite());
    }
  }
}

TEST_P(EveryFeature, SurvivesJson) {
  FeatureSet copy;
  from_json(to_json(set()), copy);
  EXPECT_EQ(fingerprint(copy), fingerprint(set()));
  EXPECT_EQ(Extractor(copy).extract(voice()), Extractor(set()).extract(voice()));
}

TEST(FeatureSet, WhatARecordingsOwnRateForbidsNamesTheCure) {
  FeatureSet set = parse_feature_set("f0");
  const Waveform low{Eigen::VectorXf::Ones(2000), 1000};
  EXPECT_ERROR(Extractor(set).extract(low),
               AllOf(HasSubstr("low_hz < high_hz < 500 Hz"),
                     HasSubstr("at the recording's own rate of 1000 Hz; --rate, or")));
  set.sample_rate_hz = 8000;
  EXPECT_EQ(Extractor(set).extract(low).rows(), 2);
}

TEST_P(EveryFeature, HasDeltas) {
  if (set().features[0]->hop_samples() == 0) GTEST_SKIP() << "describes a whole clip";
  const FeatureSet deltas =
      parse_feature_set(std::string(GetParam()) + ":delta," + std::string(GetParam()) + ":delta2");
  const std::vector<std::string> names = row_names(deltas);
  EXPECT_THAT(names.front(), testing::EndsWith(":delta"));
  EXPECT_THAT(names.back(), testing::EndsWith(":delta2"));
  EXPECT_TRUE(Extractor(deltas).extract(noise(0.1)).allFinite());
}

class EveryPreset : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Presets, EveryPreset, testing::Values("classic", "frames", "functionals"),
                         [](const auto& name) { return std::string(name.param); });

TEST_P(EveryPreset, IsFiniteOnSilenceNoiseAndVoice) {
  const Extractor extractor(parse_feature_set(GetParam()));
  for (const Waveform& wave :
       {silence(1), noise(0.1), noise(1, 8000), voice(), silence(0.1, 48000), noise(1, 96000)})
    EXPECT_TRUE(extractor.extract(wave).allFinite());
}

TEST_P(EveryPreset, GivesTheSameBitsOnEveryThread) {
  const MoreThreadsThanCores more(7);
  const Extractor extractor(parse_feature_set(GetParam()));
  const Eigen::MatrixXf expected = Extractor(extractor.set()).extract(voice());
  std::vector<Eigen::MatrixXf> found(14);
  parallel_for(found.size(), 7, [&](std::size_t i) { found[i] = extractor.extract(voice()); });
  for (const Eigen::MatrixXf& features : found) EXPECT_EQ(features, expected);
}

class LevelledPreset : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Presets, LevelledPreset, testing::Values("frames", "functionals"));

TEST_P(LevelledPreset, IgnoresGain) {
  const Extractor extractor(parse_feature_set(GetParam()));
  for (const int rate_hz : {16000, 48000}) {  // resampling leaves nothing near half the lower rate
    const Waveform wave = voice(rate_hz);
    const Eigen::ArrayXXf expected = extractor.extract(wave).array();
    for (const float gain : {0.1f, 10.0f, 0.37f}) {
      const Eigen::ArrayXXf found = extractor.extract({wave.samples * gain, rate_hz}).array();
      EXPECT_LE(((found - expected).abs() / (1 + expected.abs())).maxCoeff(), 1e-3f)
          << gain << " " << rate_hz;
    }
  }
}

TEST(Presets, HaveTheirShapes) {
  EXPECT_EQ(row_names(parse_feature_set("classic")).size(), 180u);
  EXPECT_EQ(row_names(parse_feature_set("frames")).size(), 76u);
  const std::size_t functionals = row_names(parse_feature_set("functionals")).size();
  EXPECT_GE(functionals, 600u);
  EXPECT_LE(functionals, 1500u);
}

TEST(FeatureSet, NamesItsRows) {
  EXPECT_THAT(row_names(parse_feature_set("rms, mel:delta")),
              AllOf(testing::Contains("rms"), testing::Contains("mel.17:delta")));
  FeatureSet pooled = parse_feature_set("mfcc");
  pooled.pool = Pooling::kMean;
  EXPECT_EQ(row_names(pooled).front(), "mfcc.0.mean");
}

TEST(FeatureSet, SuggestsKnownNames) {
  EXPECT_THAT([] { parse_feature_set("mfc"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("'mfc'"), HasSubstr("'mfcc'"))));
  EXPECT_THAT([] { parse_feature_set("mfcc:dleta"); }, ThrowsMessage<Error>(HasSubstr(":delta2")));
  EXPECT_THAT([] { parse_feature_set("mfcc,,mel"); },
              ThrowsMessage<Error>(HasSubstr("between commas")));
  EXPECT_THAT([] { parse_feature_set(""); }, ThrowsMessage<Error>(HasSubstr("at least one")));
  EXPECT_THAT([] { parse_feature_set("missing.json"); },
              ThrowsMessage<Error>(HasSubstr("missing.json")));
}

TEST(FeatureSet, ReadsAFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "set.json";
  write_file(path, R"({"pool": "mean", "features": [{"type": "mel", "num_bands": 26}]})");
  EXPECT_EQ(row_names(parse_feature_set(path.string())).size(), 26u);
  write_file(path, R"({"features": [{"type": "mel", "num_band": 26}]})");
  EXPECT_THAT([&] { parse_feature_set(path.string()); },
              ThrowsMessage<Error>(HasSubstr("did you mean 'num_bands'?")));
}

TEST(FeatureSet, RefusesWhatDoesNotFitTogether) {
  EXPECT_THAT([] { parse_feature_set("mfcc,mfcc"); },
              ThrowsMessage<Error>(HasSubstr("'mfcc.0' is named twice")));
  EXPECT_THAT([] { parse_feature_set("mfcc,voice"); }, ThrowsMessage<Error>(HasSubstr("one hop")));
  EXPECT_THAT([] { parse_feature_set("prosody"); },
              ThrowsMessage<Error>(HasSubstr("whole clip: pool the set")));
  EXPECT_THAT([] { parse_feature_set("prosody:delta"); },
              ThrowsMessage<Error>(HasSubstr("no delta")));
  FeatureSet third = parse_feature_set("rms");
  third.features[0]->delta_order = 3;
  EXPECT_THAT([&] { Extractor{third}; },
              ThrowsMessage<Error>(HasSubstr("delta_order': expected an integer in [0, 2]")));
}

TEST(FeatureSet, RefusesRatesAndTrimmingOutOfRange) {
  FeatureSet set = parse_feature_set("rms");
  for (const int rate : {-5, 999, 400001}) {
    set.sample_rate_hz = rate;
    EXPECT_THAT([&] { Extractor{set}; }, ThrowsMessage<Error>(HasSubstr("1000 to 400000")));
  }
  set.sample_rate_hz = 0;
  set.trim_db = -1;
  EXPECT_THAT([&] { Extractor{set}; },
              ThrowsMessage<Error>(HasSubstr("trim_db': expected a number in [0, 1000]")));
}

TEST(FeatureSet, PoolingGivenBesideAListCounts) {
  EXPECT_EQ(parse_feature_set("prosody", Pooling::kMean).pool, Pooling::kMean);
  EXPECT_EQ(parse_feature_set("classic", Pooling::kNone).pool, Pooling::kNone);
}

TEST(FeatureSet, RefusesUnusableWaveforms) {
  const FeatureSet set = parse_feature_set("rms");
  EXPECT_THAT([&] { Extractor(set).extract(silence(0.09)); },
              ThrowsMessage<Error>(HasSubstr("at least 0.1 s of audio, found 0.090 s")));
  EXPECT_THAT(
      [&] {
        Extractor(set).extract(Waveform{Eigen::VectorXf::Zero(1000), 0});
      },
      ThrowsMessage<Error>(HasSubstr("found 0 Hz")));
  Waveform broken = silence(1);
  broken.samples[100] = std::nanf("");
  EXPECT_THAT([&] { Extractor(set).extract(broken); },
              ThrowsMessage<Error>(HasSubstr("finite samples")));
}

/// The waveform as the features see it: cleaned, cut, trimmed, brought to level.
Waveform prepare(const Waveform& wave, const Preparation& preparation) {
  const Waveform clean = cleaned(wave, preparation);
  return levelled(clean, kept_range(clean, preparation), preparation.level);
}

TEST(FeatureSet, AsksForNoMoreThanMemoryHolds) {
  const Waveform wave = noise(4);
  for (const char* features :
       {R"({"type": "mel", "num_bands": 1024, "stft": {"fft_size": 256, "hop_samples": 1}})",
        R"({"type": "centroid", "stft": {"fft_size": 65536, "hop_samples": 256}})",
        R"({"type": "f0", "frame_samples": 4096, "hop_samples": 16},
           {"type": "mfcc", "mel": {"stft": {"fft_size": 2048, "hop_samples": 16}}})"}) {
    FeatureSet set;
    from_json(fmt::format(R"({{"features": [{}]}})", features), set);
    EXPECT_THAT([&] { Extractor(set).extract(wave); },
                ThrowsMessage<Error>(HasSubstr("numbers for each second of audio")))
        << features;
  }
  FeatureSet fine;
  from_json(R"({"features": [{"type": "mel", "stft": {"hop_samples": 64}}]})", fine);
  EXPECT_EQ(Extractor(fine).extract(wave).cols(), 1 + wave.samples.size() / 64);
}

TEST(FeatureSet, LooksAtItsPartAlone) {
  FeatureSet set = parse_feature_set("rms");
  Waveform wave{Eigen::VectorXf::Zero(16000), 16000};
  wave.samples.segment(8000, 4000).setOnes();
  set.offset_s = 0.5;
  set.duration_s = 0.25;
  EXPECT_EQ(prepare(wave, set).samples, Eigen::VectorXf::Ones(4000));
  set.duration_s = 9;
  EXPECT_EQ(prepare(wave, set).samples.size(), 8000);
  set.offset_s = 0.95;
  EXPECT_ERROR(prepare(wave, set), testing::HasSubstr("after 0.95 s, found 0.050 s"));
}

TEST(FeatureSet, RefusesTuningsThatAreNone) {
  FeatureSet set;
  EXPECT_THAT(
      [&] { from_json(R"({"features": [{"type": "chroma", "tuning": 2}]})", set); },
      ThrowsMessage<Error>(HasSubstr("'features[0].tuning': expected a number in [-0.5, 1]")));
  // What lies between the highest tuning and the mark of "estimate it" passes as a number.
  from_json(R"({"features": [{"type": "chroma", "tuning": 0.75}]})", set);
  EXPECT_THAT([&] { Extractor(set).extract(noise(1)); },
              ThrowsMessage<Error>(HasSubstr("tuning from -0.5 to 0.5 semitones")));
}

TEST(FeatureSet, FingerprintTellsOptionsApart) {
  FeatureSet set = parse_feature_set("mfcc");
  const std::string before = fingerprint(set);
  EXPECT_EQ(before.size(), 16u);
  EXPECT_EQ(fingerprint(parse_feature_set("mfcc")), before);
  set.trim_db = 40;
  EXPECT_NE(fingerprint(set), before);
}

TEST(FeatureSet, AVoicedFrameMayHoldZero) {
  const Waveform wave = voice();
  const Tables tables;
  const Analysis analysis(wave, tables);
  const std::unique_ptr<Feature> melody = make_feature("melody");
  const Eigen::VectorXf hz = analysis.pitch(melody->voicing(wave.sample_rate_hz)).hz;
  FrameMatrix values = FrameMatrix::Zero(4, hz.size());
  Eigen::Index highest = 0;
  hz.maxCoeff(&highest);
  values(1, highest) = 1;  // an octave above 165 Hz, which is 0 in all other voiced frames
  const auto voiced = static_cast<float>((hz.array() > 0).count());
  ASSERT_GT(voiced, 10);
  EXPECT_FLOAT_EQ(pool(*melody, values, analysis, Pooling::kMean)(1, 0), 1 / voiced);
}

TEST(FeatureSet, SetsThatPrepareAlikeShareTheirAnalysis) {
  const Waveform wave = voice(48000);
  const Extractor frames(parse_feature_set("frames"));
  FeatureSet of_clips = parse_feature_set("functionals");
  static_cast<Preparation&>(of_clips) = frames.set();
  const Extractor clip(of_clips);
  SharedAnalysis recording(wave);
  EXPECT_EQ(clip.extract(recording), clip.extract(wave));
  EXPECT_EQ(frames.extract(recording), frames.extract(wave));
  const Tables tables;
  EXPECT_EQ(&recording.of(clip.set(), tables), &recording.of(frames.set(), tables));
  EXPECT_NE(&recording.of(parse_feature_set("rms"), tables), &recording.of(clip.set(), tables));
}

TEST(FeatureSet, PresetsShareTheirAnalysisAndOtherTrimmingTheCleanSound) {
  const FeatureSet frames = parse_feature_set("frames"), clip = parse_feature_set("functionals");
  const FeatureSet tract = parse_feature_set("vocal_tract");
  FeatureSet less_trimmed = frames;
  less_trimmed.trim_db = 40;
  Waveform faint_end = voice(48000);  // by 35 dB
  faint_end.samples.tail(faint_end.samples.size() / 2) *= 0.0178f;
  faint_end.samples += 0.04f * noise(2, 48000).samples;  // no noise is lacking
  SharedAnalysis recording(faint_end);
  const Tables tables;
  EXPECT_EQ(&recording.of(frames, tables), &recording.of(clip, tables));
  EXPECT_EQ(&recording.of(frames, tables), &recording.of(tract, tables));
  EXPECT_NE(&recording.of(frames, tables), &recording.of(less_trimmed, tables));
  for (const FeatureSet& set : {frames, clip, less_trimmed}) {
    EXPECT_EQ(Extractor(set).extract(recording), Extractor(set).extract(faint_end));
    EXPECT_EQ(recording.of(set, tables).wave().samples, prepare(faint_end, set).samples);
  }
  EXPECT_EQ(recording.voice_band().samples, cleaned(faint_end, frames).samples);
  EXPECT_EQ(recording.voice_band().samples, cleaned(faint_end, voice_cleaning(16000)).samples);
}

TEST(FeatureSet, PoolsPitchOverVoicedFrames) {
  FeatureSet set = parse_feature_set("f0");
  const Eigen::MatrixXf frames = Extractor(set).extract(voice());
  set.pool = Pooling::kMean;
  const float mean = Extractor(set).extract(voice())(0, 0);
  const auto voiced = static_cast<float>((frames.row(0).array() > 0).count());
  ASSERT_GT(voiced, 0);
  EXPECT_NEAR(mean, frames.row(0).sum() / voiced, 1e-3);
}

}  // namespace
}  // namespace ser
