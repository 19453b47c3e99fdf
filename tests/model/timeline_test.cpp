#include "ser/model/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/internal/batch.h"
#include "model/make_timeline.h"
#include "ser/audio/resample.h"
#include "ser/audio/speech.h"
#include "ser/core/parallel.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kRate = 16000;

/// Not trained, but its answers depend on what it hears.
Model untrained_model() {
  Model model;
  model.emotions = {"happy", "sad", "angry"};
  model.genders = {"male", "female"};
  FeatureSet set = parse_feature_set("mfcc", Pooling::kMean);
  nn::NetworkOptions options;
  from_json(R"({"layers": [{"type": "dense", "units": 8, "activation": "relu"}]})", options);
  nn::Network network(options, input_shape(20, false), 5);
  network.initialize(Rng(1, 0));
  ScalerFit fit;
  fit.add(Eigen::MatrixXf::Random(20, 9));
  model.members.push_back({set, fit.finish({ScalerOptions::Kind::kRows, 3}), network, 1, 1, {}});
  return model;
}

Waveform demo_clip(const std::string& name) {
  return resample(read_audio(source_folder() / "data" / "demo" / name), kRate);
}

/// Noise, 2 s of silence, two clips, 3 s of silence: sound at known places.
Waveform recording() {
  Rng rng(3, 0);
  std::vector<Eigen::VectorXf> parts(5);
  parts[0] = Eigen::VectorXf::NullaryExpr(
      4 * kRate, [&](Eigen::Index) { return static_cast<float>(0.05 * rng.normal()); });
  parts[1] = Eigen::VectorXf::Zero(2 * kRate);
  parts[2] = demo_clip("Actor_01/03-01-05-01-01-01-01.flac").samples;
  parts[3] = demo_clip("Actor_02/03-01-04-01-01-01-02.flac").samples;
  parts[4] = Eigen::VectorXf::Zero(3 * kRate);
  Waveform wave{{}, kRate};
  for (const Eigen::VectorXf& part : parts) {
    Eigen::VectorXf joined(wave.samples.size() + part.size());
    joined << wave.samples, part;
    wave.samples = joined;
  }
  return wave;
}

/// A recording in a file, exactly as it is.
class Recorded {
 public:
  explicit Recorded(const Waveform& wave) {
    write_wav(folder_ / "a.wav", wave, SampleFormat::kFloat);
  }
  Timeline timeline(const Predictor& predictor, const TimelineOptions& options,
                    int threads = 1) const {
    AudioReader reader(folder_ / "a.wav");
    Listener listener(predictor, Adapting::kToNobody);
    return make_timeline(reader, listener, options, threads);
  }
  RecordingPrediction whole(const Predictor& predictor, int threads = 1) const {
    AudioReader reader(folder_ / "a.wav");
    Listener listener(predictor, Adapting::kToNobody);
    return predict_recording(reader, listener, threads);
  }

 private:
  TempFolder folder_;
};

TEST(Timeline, WindowsAreAnsweredAsIfCutOut) {
  const Waveform wave = recording();
  const Predictor predictor(untrained_model());
  const Timeline timeline = Recorded(wave).timeline(predictor, {1.5, 0.7});
  ASSERT_GT(timeline.windows.size(), 10u);
  for (std::size_t i = 0; i < timeline.windows.size(); ++i) {
    const TimelineWindow& window = timeline.windows[i];
    EXPECT_DOUBLE_EQ(window.start_s, 0.7 * static_cast<double>(i));
    const auto begin = std::lround(window.start_s * kRate), end = std::lround(window.end_s * kRate);
    const Waveform cut{wave.samples.segment(begin, end - begin), kRate};
    EXPECT_EQ(window.prediction.emotions, predictor.predict(cut).emotions);
    EXPECT_EQ(window.prediction.genders, predictor.predict(cut).genders);
    EXPECT_EQ(window.speech, is_speech(cut));
  }
  EXPECT_DOUBLE_EQ(timeline.windows.back().end_s, wave.duration_s());
}

/// The recording over and over, so many samples of it.
Waveform repeated(Eigen::Index size) {
  const Waveform once = recording();
  return {Eigen::VectorXf::NullaryExpr(
              size, [&](Eigen::Index i) { return once.samples[i % once.samples.size()]; }),
          once.sample_rate_hz};
}

TEST(PredictRecording, AnswersAMinuteAsAWhole) {
  const Waveform wave = repeated(60 * kRate);
  const Predictor predictor(untrained_model());
  const RecordingPrediction found = Recorded(wave).whole(predictor);
  EXPECT_EQ(found.windows, 0u);
  EXPECT_EQ(found.prediction.emotions, predictor.predict(wave).emotions);
  EXPECT_EQ(found.speech, is_speech(wave));
}

TEST(PredictRecording, AnswersMoreByTheMeanOfItsWindowsWithSpeech) {
  const MoreThreadsThanCores four(4);
  const Recorded recorded(repeated(60 * kRate + 1));
  const Predictor predictor(untrained_model());
  const RecordingPrediction found = recorded.whole(predictor);
  EXPECT_TRUE(found.speech);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(3);
  std::size_t spoken = 0;
  for (const TimelineWindow& window : recorded.timeline(predictor, {3, 3}).windows) {
    if (!window.speech) continue;
    sum += window.prediction.emotions;
    ++spoken;
  }
  EXPECT_EQ(found.windows, spoken);
  EXPECT_GT(spoken, 4u);
  EXPECT_LT((found.prediction.emotions - sum / spoken).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(recorded.whole(predictor, 4).prediction.emotions, found.prediction.emotions);
}

TEST(PredictRecording, LongSilenceHasNoSpeech) {
  const Recorded recorded({Eigen::VectorXf::Zero(61 * kRate), kRate});
  const RecordingPrediction found = recorded.whole(Predictor(untrained_model()));
  EXPECT_FALSE(found.speech);
  EXPECT_EQ(found.windows, 21u);
  EXPECT_NEAR(found.prediction.emotions.sum(), 1, 1e-6);
}

TEST(Timeline, IsTheSameForAnyNumberOfThreads) {
  const MoreThreadsThanCores seven(8);
  const Recorded recorded(recording());
  const Predictor predictor(untrained_model());
  const Timeline one = recorded.timeline(predictor, {1, 0.2}, 1);
  for (const int threads : {2, 7}) {
    const Timeline more = recorded.timeline(predictor, {1, 0.2}, threads);
    ASSERT_EQ(more.windows.size(), one.windows.size());
    for (std::size_t i = 0; i < one.windows.size(); ++i)
      EXPECT_EQ(more.windows[i].prediction.emotions, one.windows[i].prediction.emotions);
    ASSERT_EQ(more.segments.size(), one.segments.size());
    for (std::size_t i = 0; i < one.segments.size(); ++i)
      EXPECT_EQ(more.segments[i].prediction.emotions, one.segments[i].prediction.emotions);
  }
}

TEST(Timeline, SegmentsCoverTheRecording) {
  const Waveform wave = recording();
  const Predictor predictor(untrained_model());
  for (const TimelineOptions options : {TimelineOptions{3, 1}, {1, 1}, {1, 3}, {600, 1}}) {
    const Timeline timeline = Recorded(wave).timeline(predictor, options);
    double end_s = 0;
    for (const TimelineSegment& segment : timeline.segments) {
      EXPECT_DOUBLE_EQ(segment.start_s, end_s);
      EXPECT_NEAR(segment.prediction.emotions.sum(), 1, 1e-6);
      EXPECT_NEAR(segment.prediction.genders.sum(), 1, 1e-6);
      end_s = segment.end_s;
    }
    EXPECT_DOUBLE_EQ(end_s, wave.duration_s());
    EXPECT_DOUBLE_EQ(timeline.duration_s, wave.duration_s());
  }
}

TEST(Timeline, MarksNoiseSpeechAndSilence) {
  const Timeline timeline = Recorded(recording()).timeline(Predictor(untrained_model()), {1, 0.5});
  const auto sound_at = [&](double second) {
    for (const TimelineSegment& segment : timeline.segments)
      if (segment.end_s > second) return segment.sound;
    return timeline.segments.back().sound;
  };
  EXPECT_EQ(sound_at(2), Sound::kOther);
  EXPECT_EQ(sound_at(5), Sound::kSilence);
  EXPECT_EQ(sound_at(6.8), Sound::kSpeech);
  EXPECT_EQ(sound_at(timeline.duration_s - 0.5), Sound::kSilence);
}

TEST(Timeline, HissAboveTheBandOfAVoiceIsNoSilence) {
  const auto sounds = [](float amplitude) {
    Waveform wave{
        Eigen::VectorXf::NullaryExpr(
            4 * 48000, [&](Eigen::Index i) { return i % 4 < 2 ? amplitude : -amplitude; }),
        48000};  // 12 kHz
    return Recorded(wave).timeline(Predictor(untrained_model()), {1, 1}).windows[1].sound;
  };
  EXPECT_EQ(sounds(0.01f), Sound::kOther);
  EXPECT_EQ(sounds(0.001f), Sound::kSilence);
}

TEST(Timeline, ShortRecordingsAreOneWindow) {
  const Waveform clip = demo_clip("Actor_01/03-01-05-01-01-01-01.flac");
  const Timeline timeline = Recorded(clip).timeline(Predictor(untrained_model()), {30, 10});
  ASSERT_THAT(timeline.windows, SizeIs(1));
  EXPECT_DOUBLE_EQ(timeline.windows[0].end_s, clip.duration_s());
  ASSERT_THAT(timeline.segments, SizeIs(1));
  EXPECT_EQ(timeline.segments[0].sound, Sound::kSpeech);
}

TEST(Timeline, RefusesSizesOutOfBounds) {
  const Recorded recorded(recording());
  const Predictor predictor(untrained_model());
  EXPECT_ERROR(recorded.timeline(predictor, {0.01, 1}), HasSubstr("window: expected 0.1 to 600 s"));
  EXPECT_ERROR(recorded.timeline(predictor, {3, 0}), HasSubstr("hop: expected 0.01 to 3600 s"));
}

/// Windows of 2 s, one a second, with a probability of the first of two emotions each.
std::vector<TimelineSegment> merged(const std::vector<std::pair<Sound, double>>& windows) {
  std::vector<TimelineSegment> segments;
  SegmentMerger merger([&](const TimelineSegment& segment) { segments.push_back(segment); });
  double start_s = 0;
  for (const auto& [sound, first] : windows) {
    const ClipPrediction prediction{Eigen::Vector2d(first, 1 - first), Eigen::VectorXd()};
    merger.add({start_s, start_s + 2, sound == Sound::kSpeech, sound, prediction});
    start_s += 1;
  }
  merger.finish(start_s + 1);
  return segments;
}

constexpr Sound kSpeech = Sound::kSpeech, kOther = Sound::kOther, kSilence = Sound::kSilence;

TEST(SegmentMerger, JoinsWindowsOfOneEmotion) {
  const auto segments = merged({{kSpeech, 0.9}, {kSpeech, 0.9}, {kSpeech, 0.1}, {kSpeech, 0.1}});
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_EQ(segments[0].start_s, 0);
  EXPECT_EQ(segments[0].end_s, 2.5);  // half-way between the centres 2 and 3
  EXPECT_EQ(segments[1].end_s, 5);
  // Smoothed: 0.9 and (0.9 + 1.8 + 0.1) / 4.
  EXPECT_NEAR(segments[0].prediction.emotions(0), (0.9 + 0.7) / 2, 1e-12);
}

TEST(SegmentMerger, SmoothsAwayADoubtfulWindow) {
  EXPECT_THAT(merged({{kSpeech, 0.9}, {kSpeech, 0.4}, {kSpeech, 0.9}}), SizeIs(1));
  EXPECT_THAT(merged({{kSpeech, 0.9}, {kSpeech, 0.0}, {kSpeech, 0.9}}), SizeIs(3));
}

TEST(SegmentMerger, DoesNotSmoothAcrossSilence) {
  const auto segments = merged({{kSpeech, 0.9}, {kSilence, 0.2}, {kSpeech, 0.8}});
  ASSERT_THAT(segments, SizeIs(3));
  EXPECT_NEAR(segments[0].prediction.emotions(0), 0.9, 1e-12);
  EXPECT_NEAR(segments[1].prediction.emotions(0), 0.2, 1e-12);
  EXPECT_NEAR(segments[2].prediction.emotions(0), 0.8, 1e-12);
}

TEST(SegmentMerger, TellsSilenceFromOtherSounds) {
  const auto segments = merged({{kSilence, 0.9}, {kSilence, 0.1}, {kOther, 0.9}, {kOther, 0.1}});
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_EQ(segments[0].sound, Sound::kSilence);
  EXPECT_EQ(segments[1].sound, Sound::kOther);
}

TEST(SegmentMerger, DoesNotJoinVoicesOfDifferentGenders) {
  std::vector<TimelineSegment> segments;
  SegmentMerger merger([&](const TimelineSegment& segment) { segments.push_back(segment); });
  for (const auto& [start_s, male] :
       std::vector<std::pair<double, double>>{{0, 0.9}, {1, 0.8}, {2, 0.6}, {3, 0.2}, {4, 0.1}})
    merger.add({start_s,
                start_s + 2,
                true,
                kSpeech,
                {Eigen::Vector2d(0.8, 0.2), Eigen::Vector2d(male, 1 - male)}});
  merger.finish(6);
  ASSERT_THAT(segments, SizeIs(2));
  EXPECT_EQ(segments[0].end_s, 3.5);
  EXPECT_GT(segments[0].prediction.genders[0], 0.7);
  EXPECT_LT(segments[1].prediction.genders[0], 0.3);
}

TEST(SegmentMerger, NothingGivesNothing) { EXPECT_THAT(merged({}), SizeIs(0)); }

}  // namespace
}  // namespace ser
