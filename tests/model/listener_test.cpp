#include "ser/model/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/internal/batch.h"
#include "model/make_timeline.h"
#include "model/mfcc_rows.h"
#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "ser/model/timeline.h"
#include "support/paths.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

const Eigen::Vector2d kHappy(0.95, 0.05), kSad(0.05, 0.95), kMale(0.9, 0.1), kFemale(0.1, 0.9);

/// Trusts a voice whose clips differ in emotion at all, unless `options` say otherwise.
Predictor some_predictor(const ListeningOptions& options = {true, 4, 0, 1e-9}) {
  nn::Network network({}, input_shape(kMfccRows, false), 4);
  network.initialize(Rng(1, 0));
  network.parameters() *= 3;
  const Scaler scaler{{ScalerOptions::Kind::kRows, 3},
                      Eigen::VectorXf::Zero(kMfccRows),
                      Eigen::VectorXf::Constant(kMfccRows, 0.1f)};
  Model model;
  model.emotions = {"happy", "sad"};
  model.genders = {"male", "female"};
  model.members.push_back(
      {parse_feature_set("mfcc", Pooling::kMean), scaler, network, 1, 1, options});
  return Predictor(std::move(model));
}

/// Three seconds of speech, at some place of the features that depends on `stream`.
MetClip clip(const Predictor& predictor, std::uint64_t stream, double start_s,
             const Eigen::Vector2d& emotions, const Eigen::Vector2d& genders = kMale) {
  Rng rng(5, stream);
  Eigen::MatrixXf features(kMfccRows, 1);
  for (float& x : features.reshaped()) x = static_cast<float>(10 * rng.normal());
  return {{{fingerprint(predictor.model().members[0].set), features}},
          {emotions, genders},
          true,
          start_s,
          start_s + 3};
}

void answer_and_hear(Listener& listener, const MetClip& clip) {
  listener.answer(clip);
  listener.hear(clip);
}

TEST(Listener, HearsEveryClipOnceForThoseAfterItsEnd) {
  const Predictor predictor = some_predictor();
  Listener listener(predictor, Adapting::kToWhoeverSpeaks);
  std::vector<double> heard_s;
  for (int second = 0; second < 8; ++second) {
    const MetClip window =
        clip(predictor, static_cast<std::uint64_t>(second), second, second < 3 ? kHappy : kSad);
    listener.answer(window);
    heard_s.push_back(listener.voice().duration_s());
    listener.hear(window);
  }
  EXPECT_THAT(heard_s, testing::ElementsAre(0, 0, 0, 3, 3, 3, 6, 6));
  listener.end_recording();
  EXPECT_EQ(listener.voice().clips(), 3);
}

TEST(Listener, DoesNotHearWhatIsNoSpeech) {
  const Predictor predictor = some_predictor();
  Listener listener(predictor, Adapting::kToOneVoice);
  MetClip noise = clip(predictor, 1, 0, kHappy);
  noise.speech = false;
  answer_and_hear(listener, noise);
  listener.end_recording();
  EXPECT_TRUE(listener.voice().empty());
  listener.hear(Waveform{Eigen::VectorXf::Zero(160000), 16000});
  EXPECT_TRUE(listener.voice().empty());
}

TEST(Listener, AnswersRelativeToTheVoice) {
  const Predictor predictor = some_predictor();
  Listener listener(predictor, Adapting::kToOneVoice);
  answer_and_hear(listener, clip(predictor, 1, 0, kHappy));
  answer_and_hear(listener, clip(predictor, 2, 3, kSad));
  const MetClip next = clip(predictor, 3, 6, kHappy, Eigen::Vector2d(0.4, 0.6));
  const ClipPrediction answer = listener.answer(next);
  EXPECT_FALSE(answer.emotions.isApprox(next.prediction.emotions, 1e-3));
  EXPECT_TRUE(
      answer.genders.isApprox(pool_genders(next.prediction.genders, listener.voice().answers())));
}

TEST(Listener, OfOneEmotionAloneChangesNothing) {
  const Predictor predictor = some_predictor({true, 4, 0.25, 0.4});
  Listener listener(predictor, Adapting::kToOneVoice);
  for (int i = 0; i < 20; ++i)
    answer_and_hear(listener, clip(predictor, static_cast<std::uint64_t>(i), 3 * i, kHappy));
  const MetClip next = clip(predictor, 30, 60, kSad);
  EXPECT_EQ(listener.answer(next).emotions, next.prediction.emotions);
}

TEST(Listener, ThatAdaptsToNobodyAnswersByTheVoiceGiven) {
  Predictor predictor = some_predictor();
  Listener before(predictor, Adapting::kToOneVoice);
  answer_and_hear(before, clip(predictor, 1, 0, kHappy));
  answer_and_hear(before, clip(predictor, 2, 3, kSad));
  const MetClip next = clip(predictor, 3, 6, kHappy);
  const Eigen::VectorXd known = before.answer(next).emotions;
  Listener blind(predictor, Adapting::kToNobody);
  answer_and_hear(blind, next);
  blind.end_recording();
  EXPECT_TRUE(blind.voice().empty());
  EXPECT_EQ(blind.answer(next).emotions, next.prediction.emotions);
  predictor.set_voice(before.voice());
  EXPECT_EQ(Listener(predictor, Adapting::kToNobody).answer(next).emotions, known);
}

TEST(Listener, ModelsThatDoNotListenStayBlind) {
  const Predictor predictor = some_predictor({});
  Listener listener(predictor, Adapting::kToWhoeverSpeaks);
  EXPECT_FALSE(listener.adapts());
  answer_and_hear(listener, clip(predictor, 1, 0, kHappy));
  listener.end_recording();
  EXPECT_TRUE(listener.voice().empty());
}

TEST(Listener, GoesOnWithAVoiceThatWasKept) {
  Predictor predictor = some_predictor();
  Listener whole(predictor, Adapting::kToOneVoice), first(predictor, Adapting::kToOneVoice);
  for (std::uint64_t i = 0; i < 3; ++i) {
    answer_and_hear(whole, clip(predictor, i, 3.0 * double(i), i == 1 ? kHappy : kSad));
    answer_and_hear(first, clip(predictor, i, 3.0 * double(i), i == 1 ? kHappy : kSad));
  }
  first.end_recording();
  const std::string model = identity(predictor.model());
  predictor.set_voice(Voice::from_json(first.voice().to_json(model), model));
  Listener later(predictor, Adapting::kToOneVoice);
  const MetClip next = clip(predictor, 9, 9, kHappy);
  EXPECT_EQ(later.answer(next).emotions, whole.answer(next).emotions);
  EXPECT_EQ(later.voice().duration_s(), 9);
}

/// Clips of a man, then of a woman; what is known of the voice after each.
std::vector<double> clips_known(Adapting adapting, int men, int women) {
  const Predictor predictor = some_predictor();
  Listener listener(predictor, adapting);
  std::vector<double> known;
  for (int i = 0; i < men + women; ++i) {
    listener.hear(clip(predictor, static_cast<std::uint64_t>(i), 3 * i, i % 2 ? kHappy : kSad,
                       i < men ? kMale : kFemale));
    listener.end_recording();
    known.push_back(listener.voice().clips());
  }
  return known;
}

TEST(Listener, BeginsAnewWhereAnotherVoiceSpeaks) {
  using testing::ElementsAre;
  EXPECT_THAT(clips_known(Adapting::kToWhoeverSpeaks, 4, 4), ElementsAre(1, 2, 3, 4, 4, 4, 3, 4));
  EXPECT_THAT(clips_known(Adapting::kToOneVoice, 2, 4), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Listener, TakesASureClipOfTheOtherGenderForAStranger) {
  const Predictor predictor = some_predictor();
  Listener careful(predictor, Adapting::kToWhoeverSpeaks), told(predictor, Adapting::kToOneVoice);
  for (Listener* listener : {&careful, &told})
    for (std::uint64_t i = 0; i < 4; ++i)
      answer_and_hear(*listener, clip(predictor, i, 3.0 * double(i), i % 2 ? kHappy : kSad));
  const MetClip woman = clip(predictor, 7, 12, kHappy, kFemale);
  const MetClip doubtful = clip(predictor, 7, 12, kHappy, Eigen::Vector2d(0.4, 0.6));
  EXPECT_EQ(careful.answer(woman).genders, woman.prediction.genders);
  EXPECT_EQ(careful.answer(woman).emotions, woman.prediction.emotions);
  EXPECT_GT(told.answer(woman).genders[0], 0.5);
  EXPECT_GT(careful.answer(doubtful).genders[0], 0.5);
}

TEST(Listener, HearsLongRecordingsInPieces) {
  const Predictor predictor = some_predictor();
  Waveform wave = read_audio(source_folder() / "data/demo/Actor_01/03-01-05-01-01-01-01.flac");
  Listener listener(predictor, Adapting::kToOneVoice);
  listener.hear(wave);
  EXPECT_EQ(listener.voice().clips(), 1);
  EXPECT_NEAR(listener.voice().duration_s(), wave.duration_s(), 1e-9);
  wave.samples = wave.samples.replicate(4, 1).eval();
  listener.hear(wave);
  EXPECT_EQ(listener.voice().clips(), 1 + std::floor(wave.duration_s() / 3));
}

TEST(Listener, AdaptsATimelineAlikeForAnyNumberOfThreads) {
  const MoreThreadsThanCores seven(8);
  const TempFolder folder;
  Waveform wave = read_audio(source_folder() / "data/demo/Actor_01/03-01-05-01-01-01-01.flac");
  wave.samples = wave.samples.replicate(5, 1).eval();
  write_wav(folder / "a.wav", wave, SampleFormat::kFloat);
  const Predictor predictor = some_predictor();
  const auto timeline = [&](int threads, Adapting adapting) {
    AudioReader reader(folder / "a.wav");
    Listener listener(predictor, adapting);
    return make_timeline(reader, listener, {1, 0.4}, threads).windows;
  };
  const std::vector<TimelineWindow> one = timeline(1, Adapting::kToWhoeverSpeaks);
  const std::vector<TimelineWindow> blind = timeline(1, Adapting::kToNobody);
  EXPECT_GT(one.back().heard_s, 3);
  EXPECT_FALSE(one.back().prediction.emotions.isApprox(blind.back().prediction.emotions, 1e-6));
  for (const int threads : {2, 7}) {
    const std::vector<TimelineWindow> more = timeline(threads, Adapting::kToWhoeverSpeaks);
    ASSERT_EQ(more.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(more[i].prediction.emotions, one[i].prediction.emotions);
      EXPECT_EQ(more[i].heard_s, one[i].heard_s);
    }
  }
}

}  // namespace
}  // namespace ser
