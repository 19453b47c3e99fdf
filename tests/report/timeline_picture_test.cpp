#include "ser/report/picture.h"

#include <gmock/gmock.h>

#include "audio/signals.h"
#include "report/column_analysis.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser::report {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const std::vector<std::string> kEmotions = {"happy", "sad"};

/// Windows of 2 s every second over `seconds`: the first half happy (0.75), then silence, then a
/// sad (0.75) half-second of speech.
Timeline timeline(int seconds) {
  Timeline result{static_cast<double>(seconds), {}, {}};
  Eigen::VectorXd happy(2), sad(2);
  happy << 0.75, 0.25;
  sad << 0.25, 0.75;
  for (int start = 0; start + 2 <= seconds; ++start) {
    const bool first_half = start + 1 < seconds / 2;
    result.windows.push_back({static_cast<double>(start),
                              start + 2.0,
                              first_half,
                              first_half ? Sound::kSpeech : Sound::kSilence,
                              {}});
    result.windows.back().prediction.emotions = happy;
  }
  const double half = seconds / 2;
  TimelineSegment segment{0, half, Sound::kSpeech, {}};
  segment.prediction.emotions = happy;
  result.segments.push_back(segment);
  result.segments.push_back({half, seconds - 0.5, Sound::kSilence, segment.prediction});
  segment = {seconds - 0.5, static_cast<double>(seconds), Sound::kSpeech, {}};
  segment.prediction.emotions = sad;
  result.segments.push_back(segment);
  return result;
}

class TimelinePicture : public ::testing::Test {
 protected:
  Picture picture(const Timeline& of, double duration_s) const {
    const std::filesystem::path file = folder_ / "tone.wav";
    write_wav(file, sine(20, duration_s, 1000));
    AudioReader reader(file);
    return timeline_picture(reader, of, kEmotions, "title");
  }
  TempFolder folder_;
};

TEST_F(TimelinePicture, StacksProbabilitiesWhereThereIsSpeech) {
  const Panel probabilities = picture(timeline(20), 20).panels.at(1);
  ASSERT_THAT(probabilities.bands, SizeIs(2));
  const PlotBand &happy = probabilities.bands[0], &sad = probabilities.bands[1];
  EXPECT_EQ(happy.name, "happy");
  EXPECT_EQ(happy.x[0], 0);
  EXPECT_EQ(happy.x[happy.x.size() - 1], 20);
  EXPECT_FLOAT_EQ(happy.low[0], 0);
  EXPECT_FLOAT_EQ(happy.high[0], 0.75);
  EXPECT_EQ(sad.low, happy.high);
  EXPECT_FLOAT_EQ(sad.high[0], 1);
  EXPECT_EQ(sad.high[sad.high.size() - 1], 0) << "silence";
}

TEST_F(TimelinePicture, NamesSegmentsThatHaveRoomAndShadesAllWithSound) {
  const Panel waveform = picture(timeline(20), 20).panels.at(0);
  ASSERT_THAT(waveform.spans, SizeIs(2));
  EXPECT_NE(waveform.spans[0].colour, waveform.spans[1].colour);
  EXPECT_EQ(waveform.spans[0].end, 10);
  EXPECT_EQ(waveform.spans[1].begin, 19.5);
  std::vector<std::string> names;
  for (const PlotText& text : waveform.texts) names.push_back(text.text);
  EXPECT_THAT(names, ElementsAre("happy", "sad")) << "half a second is 30 pixels wide";
  EXPECT_THAT(picture(timeline(200), 200).panels.at(0).texts, SizeIs(1));
}

TEST_F(TimelinePicture, CallsWhatIsNotSpeechSo) {
  Timeline noise{4, {}, {{0, 4, Sound::kOther, {}}}};
  const Panel waveform = picture(noise, 4).panels.at(0);
  ASSERT_THAT(waveform.texts, SizeIs(1));
  EXPECT_EQ(waveform.texts[0].text, "no speech");
}

TEST_F(TimelinePicture, CountsMinutesOfALongRecordingAndStaysSmall) {
  const Picture of_an_hour = picture(timeline(3600), 3600);
  for (const Panel& panel : of_an_hour.panels) {
    EXPECT_EQ(panel.x.label, "Time (min)");
    EXPECT_EQ(panel.x.high, 60);
    for (const PlotBand& band : panel.bands) {
      EXPECT_LE(band.x.size(), 4 * kMostColumns);
      EXPECT_FLOAT_EQ(band.x.maxCoeff(), panel.title == "Waveform and segments"
                                             ? 60 * (1 - 0.5f / (2 * kMostColumns))
                                             : 60);
    }
  }
}

TEST_F(TimelinePicture, ShowsTheWaveformsPeaks) {
  const PlotBand shape = picture(timeline(20), 20).panels.at(0).bands.at(0);
  EXPECT_NEAR(shape.high.maxCoeff(), 0.5, 0.01);
  EXPECT_NEAR(shape.low.minCoeff(), -0.5, 0.01);
}

}  // namespace
}  // namespace ser::report
