#include "ser/report/picture.h"

#include <gmock/gmock.h>

#include <cmath>

#include "audio/signals.h"
#include "report/column_analysis.h"
#include "ser/core/rng.h"
#include "ser/features/stft.h"
#include "support/errors.h"

namespace ser::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kWindowS = 0.032;

Waveform noise(double duration_s, int rate_hz) {
  Waveform wave{Eigen::VectorXf(std::lround(duration_s * rate_hz)), rate_hz};
  Rng rng(1, 0);
  for (float& sample : wave.samples) sample = static_cast<float>(0.1 * rng.normal());
  return wave;
}

FeatureSet feature_set(int rate_hz = 0, double trim_db = 0) {
  FeatureSet set = parse_feature_set("mfcc");
  set.sample_rate_hz = rate_hz;
  set.trim_db = trim_db;
  return set;
}

std::vector<Picture> pictures(const Waveform& wave, std::vector<std::string> kinds,
                              const FeatureSet& set = feature_set()) {
  return clip_pictures(wave, set, "clip", kinds);
}

Panel panel(const Waveform& wave, const std::string& kind, const FeatureSet& set = feature_set()) {
  return pictures(wave, {kind}, set).at(0).panels.at(0);
}

TEST(ColumnSpectrum, OfALongRecordingIsThatOfTheWhole) {
  const Waveform wave = noise(60, 4000);
  const ColumnSpectrum columns = column_spectrum(wave, kWindowS);
  StftOptions options{columns.fft_size, 40, 128};
  const FrameMatrix whole = power_spectrogram(wave.samples, options);
  const Eigen::Index per_column = std::lround(columns.column_s / 0.01);
  ASSERT_EQ(columns.power.cols(), (whole.cols() + per_column - 1) / per_column);
  ASSERT_LE(columns.power.cols(), kMostColumns);
  for (Eigen::Index c = 0; c < columns.power.cols(); ++c) {
    const Eigen::Index begin = c * per_column;
    const Eigen::VectorXf mean =
        whole.middleCols(begin, std::min(per_column, whole.cols() - begin)).rowwise().mean();
    ASSERT_LT((columns.power.col(c) - mean).cwiseAbs().maxCoeff(), 1e-5 * mean.maxCoeff()) << c;
  }
}

TEST(ColumnSpectrum, OfAShortClipHasManyColumns) {
  EXPECT_GT(column_spectrum(noise(0.2, 16000), kWindowS).power.cols(), 150);
}

TEST(ColumnPitch, FollowsALongTone) {
  const ColumnPitch pitch = column_pitch(sine(200, 60, 4000));
  ASSERT_LE(pitch.hz.size(), kMostColumns);
  EXPECT_NEAR(pitch.hz.segment(1, pitch.hz.size() - 2).minCoeff(), 200, 2);
  EXPECT_NEAR(pitch.hz.segment(1, pitch.hz.size() - 2).maxCoeff(), 200, 2);
  EXPECT_NEAR(pitch.times_s[pitch.times_s.size() - 1], 60, 0.15);
}

TEST(Envelope, HoldsEverySample) {
  const Waveform wave = noise(3, 16000);
  const Envelope shape = envelope(wave);
  EXPECT_EQ(shape.low.minCoeff(), wave.samples.minCoeff());
  EXPECT_EQ(shape.high.maxCoeff(), wave.samples.maxCoeff());
  EXPECT_TRUE((shape.low.array() <= shape.high.array()).all());
}

TEST(ClipPictures, ASheetHoldsEveryOtherKind) {
  const Picture sheet = pictures(sine(300, 1, 16000), {"sheet"}).at(0);
  EXPECT_EQ(sheet.panels.size(), picture_kinds().size() - 1);
  EXPECT_EQ(sheet.title, "clip");
  for (const Panel& each : sheet.panels) {
    EXPECT_EQ(each.x.label, "Time (s)");
    EXPECT_FALSE(each.y.label.empty());
    EXPECT_EQ(each.x.high, 1);
  }
}

TEST(ClipPictures, RefusesAnUnknownKind) {
  EXPECT_ERROR(pictures(sine(300, 1, 16000), {"mfc"}),
               AllOf(HasSubstr("unknown picture 'mfc'"), HasSubstr("did you mean 'mfcc'?")));
}

TEST(ClipPictures, RefusesNoKindAndOneThatIsThereTwice) {
  EXPECT_ERROR(pictures(sine(300, 1, 16000), {}), HasSubstr("expected at least one picture"));
  EXPECT_ERROR(pictures(sine(300, 1, 16000), {"mel", "f0", "mel"}),
               HasSubstr("expected picture 'mel' once, found it twice"));
}

TEST(ClipPictures, RefusesWhatIsTooShort) {
  EXPECT_ERROR(pictures(sine(300, 0.05, 16000), {"sheet"}), HasSubstr("expected at least 0.1 s"));
}

TEST(ClipPictures, AreFiniteForTheShortestSilence) {
  const Waveform silence{Eigen::VectorXf::Zero(1600), 16000};
  for (const Panel& each : pictures(silence, {"sheet"}).at(0).panels)
    if (each.heatmap) {
      EXPECT_TRUE(each.heatmap->values.allFinite()) << each.title;
      EXPECT_LT(each.heatmap->low, each.heatmap->high) << each.title;
    }
}

TEST(ClipPictures, ShadeWhatIsTrimmed) {
  Waveform wave = sine(300, 3, 16000);
  wave.samples.head(16000).setZero();
  wave.samples.tail(16000).setZero();
  const Panel trimmed = panel(wave, "waveform", feature_set(0, 40));
  ASSERT_THAT(trimmed.spans, SizeIs(2));
  EXPECT_EQ(trimmed.spans[0].begin, 0);
  EXPECT_NEAR(trimmed.spans[0].end, 1, 0.1);
  EXPECT_NEAR(trimmed.spans[1].begin, 2, 0.1);
  EXPECT_EQ(trimmed.spans[1].end, 3);
  EXPECT_THAT(panel(wave, "waveform").spans, IsEmpty());
}

TEST(ClipPictures, ShadeWhatIsTrimmedUnderAnOffset) {
  FeatureSet set = feature_set(0, 40);
  set.low_cut_hz = 60;
  Waveform wave = sine(300, 3, 16000);
  wave.samples.head(16000).setZero();
  wave.samples.array() += 0.2f;
  const Panel trimmed = panel(wave, "waveform", set);
  ASSERT_THAT(trimmed.spans, SizeIs(1));
  EXPECT_NEAR(trimmed.spans[0].end, 1, 0.1);
}

TEST(ClipPictures, ShadeWhatTheSetCutsOff) {
  FeatureSet set = feature_set();
  set.offset_s = 0.5;
  set.duration_s = 1;
  const Panel cut = panel(sine(300, 3, 16000), "waveform", set);
  ASSERT_THAT(cut.spans, SizeIs(2));
  EXPECT_NEAR(cut.spans[0].end, 0.5, 1e-3);
  EXPECT_NEAR(cut.spans[1].begin, 1.5, 1e-3);
}

/// The frequency where a heatmap is brightest in its middle column.
double brightest_hz(const Panel& of) {
  Eigen::Index row = 0;
  of.heatmap->values.col(of.heatmap->values.cols() / 2).maxCoeff(&row);
  return of.heatmap->y_first + of.heatmap->y_step * static_cast<double>(row);
}

TEST(ClipPictures, PutAToneAtItsFrequency) {
  for (const int rate : {8000, 16000, 48000}) {
    const Waveform tone = sine(1000, 1, rate);
    EXPECT_NEAR(brightest_hz(panel(tone, "spectrogram")), 1000, 80) << rate;
    EXPECT_NEAR(std::exp2(brightest_hz(panel(tone, "log_spectrogram"))), 1000, 20) << rate;
    const Panel mel = panel(tone, "mel");
    double tick = 0;
    for (const auto& [at, text] : mel.y.ticks)
      if (text == "1000") tick = at;
    EXPECT_NEAR(brightest_hz(mel), tick, 1) << rate;
  }
}

TEST(ClipPictures, NameThePitchClassOfATone) {
  const Panel chroma = panel(sine(440, 1, 16000), "chroma");
  EXPECT_EQ(chroma.y.ticks.at(static_cast<std::size_t>(brightest_hz(chroma))).second, "A");
}

TEST(ClipPictures, DrawF0AndCentroidOfATone) {
  const Panel f0 = panel(sine(200, 1, 16000), "f0");
  EXPECT_NEAR(f0.lines.at(0).y[50], 200, 2);
  const Panel centroid = panel(sine(1000, 1, 16000), "centroid");
  EXPECT_EQ(centroid.lines.at(1).name, "centroid");
  EXPECT_NEAR(centroid.lines.at(1).y[50], 1000, 30);
}

TEST(ClipPictures, ShowTheRateOfTheSetButNoneThatIsNotThere) {
  EXPECT_EQ(panel(sine(300, 1, 48000), "spectrogram", feature_set(16000)).y.high, 8000);
  EXPECT_EQ(panel(sine(300, 1, 8000), "spectrogram", feature_set(16000)).y.high, 4000);
}

TEST(ClipPictures, AreOfLimitedSizeHoweverLongTheRecording) {
  for (const Panel& each : pictures(noise(300, 2000), {"sheet"}).at(0).panels) {
    if (each.heatmap) {
      EXPECT_LE(each.heatmap->values.size(), kMostColumns * 400) << each.title;
    }
    for (const PlotLine& line : each.lines) EXPECT_LE(line.x.size(), 2 * kMostColumns);
    for (const PlotBand& band : each.bands) EXPECT_LE(band.x.size(), 2 * kMostColumns);
  }
}

}  // namespace
}  // namespace ser::report
