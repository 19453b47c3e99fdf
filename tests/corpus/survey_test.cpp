#include "ser/corpus/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

using Json = nlohmann::ordered_json;

/// A harmonic tone with `silence_s` of digital silence after it.
Waveform voice(double f0_hz, double tone_s, double silence_s, double amplitude = 0.1,
               int rate_hz = 16000) {
  const auto tone = static_cast<Eigen::Index>(tone_s * rate_hz);
  Waveform wave{Eigen::VectorXf::Zero(tone + static_cast<Eigen::Index>(silence_s * rate_hz)),
                rate_hz};
  for (Eigen::Index i = 0; i < tone; ++i)
    for (int harmonic = 1; harmonic <= 5; ++harmonic)
      wave.samples[i] += static_cast<float>(
          amplitude / harmonic *
          std::sin(2 * std::numbers::pi * f0_hz * harmonic * static_cast<double>(i) / rate_hz));
  return wave;
}

/// A folder of recordings, some of them odd, and what is known of them.
class SurveyOfAFolder : public ::testing::Test {
 protected:
  void add(const std::string& name, const Waveform& wave, const std::string& emotion,
           const std::string& gender) {
    write_wav(folder_ / name, wave);
    note(name, emotion, gender);
  }
  void note(const std::string& name, const std::string& emotion, const std::string& gender) {
    Utterance clip;
    clip.path = name;
    clip.emotion = emotion;
    clip.gender = gender;
    clip.speaker = gender == "male" ? "1" : "2";
    recordings_.push_back({(folder_ / name).string(), clip});
  }
  Survey survey(int threads = 1) const { return survey_recordings(recordings_, threads); }

  TempFolder folder_;
  std::vector<Recording> recordings_;
};

TEST_F(SurveyOfAFolder, MeasuresEachRecording) {
  add("a.wav", voice(120, 0.75, 0.25), "sad", "male");
  const ClipMeasures measures = survey().clips[0].measures;
  EXPECT_DOUBLE_EQ(measures.duration_s, 1);
  EXPECT_EQ(measures.sample_rate_hz, 16000);
  EXPECT_EQ(measures.channels, 1);
  EXPECT_NEAR(measures.silence_share, 0.25, 0.01);
  EXPECT_NEAR(measures.f0_hz, 120, 1);
  // Five harmonics of amplitude 0.1 / k: half the sum of their squares.
  const double power = 0.01 / 2 * (1 + 1.0 / 4 + 1.0 / 9 + 1.0 / 16 + 1.0 / 25);
  EXPECT_NEAR(measures.level_dbfs, 10 * std::log10(power), 0.1);
}

TEST_F(SurveyOfAFolder, WhatLiesUnderTheVoiceChangesNothing) {
  const Waveform clean = voice(120, 0.75, 0.25, 0.05);
  add("a.wav", clean, "sad", "male");
  Waveform raised = clean;
  raised.samples.array() += 0.3f;
  add("b.wav", raised, "sad", "male");
  const Survey found = survey();
  const ClipMeasures &expected = found.clips[0].measures, &measures = found.clips[1].measures;
  // The low cut rings on for two of the 40 frames.
  EXPECT_NEAR(measures.level_dbfs, expected.level_dbfs, 0.4);
  EXPECT_NEAR(measures.silence_share, expected.silence_share, 2.5 / 40);
  EXPECT_NEAR(measures.f0_hz, expected.f0_hz, 1);
}

TEST_F(SurveyOfAFolder, SilenceHasNoLevelAndNoPitch) {
  add("a.wav", voice(120, 0, 1), "sad", "male");
  const ClipMeasures measures = survey().clips[0].measures;
  EXPECT_TRUE(std::isnan(measures.level_dbfs));
  EXPECT_TRUE(std::isnan(measures.f0_hz));
  EXPECT_EQ(measures.silence_share, 1);
  EXPECT_EQ(Json::parse(survey_json(survey()))["clips"][0]["level_dbfs"], Json());
}

TEST_F(SurveyOfAFolder, PitchOfLongRecordingsIsTakenFromAllOfThem) {
  Waveform wave = voice(110, 40, 0);  // more than is tracked at a time, and no multiple of mains
  wave.samples.tail(22 * 16000) = voice(210, 22, 0).samples;
  add("a.wav", wave, "sad", "male");
  EXPECT_NEAR(survey().clips[0].measures.f0_hz, 210, 2);
}

TEST_F(SurveyOfAFolder, UnreadableFilesAreNotedWithoutTheirFolder) {
  add("a.wav", voice(120, 1, 0), "sad", "male");
  folder_.add("b.wav", "no sound");
  note("b.wav", "sad", "male");
  const Survey found = survey();
  EXPECT_EQ(found.readable(), 1u);
  EXPECT_THAT(found.clips[1].error, HasSubstr("expected"));
  const Json json = Json::parse(survey_json(found));
  EXPECT_EQ(json["unreadable"][0]["file"], "b.wav");
  EXPECT_EQ(json["recordings"], 2);
  EXPECT_EQ(json["readable"], 1);
  EXPECT_EQ(json["clips"].size(), 1u);
  EXPECT_THAT(json.dump(), Not(HasSubstr(folder_.path().string())));
}

TEST_F(SurveyOfAFolder, CountsLabelsRatesAndSpeakers) {
  add("a.wav", voice(120, 0.5, 0), "sad", "male");
  add("b.wav", voice(120, 0.5, 0, 0.1, 8000), "happy", "female");
  add("c.wav", voice(120, 0.5, 0), "sad", "female");
  add("d.wav", voice(120, 0.5, 0), "", "");
  recordings_[3].utterance.speaker.clear();
  const Survey found = survey();
  EXPECT_THAT(count_by(found, &Utterance::emotion),
              ElementsAre(Pair("happy", 1), Pair("sad", 2), Pair("", 1)));
  EXPECT_THAT(count_by(found, &Utterance::gender),
              ElementsAre(Pair("female", 2), Pair("male", 1), Pair("", 1)));
  EXPECT_THAT(count_by(found, &ClipMeasures::sample_rate_hz),
              ElementsAre(Pair(8000, 1), Pair(16000, 3)));
  const auto speakers = count_speakers(found);
  ASSERT_EQ(speakers.size(), 3u);
  EXPECT_EQ(speakers[1].name, "02");
  EXPECT_EQ(speakers[1].gender, "female");
  EXPECT_EQ(speakers[1].clips, 2);
  EXPECT_EQ(speakers[2].name, "");
}

TEST_F(SurveyOfAFolder, ThreadsChangeNoByte) {
  const MoreThreadsThanCores seven(8);
  for (int i = 0; i < 9; ++i)
    add(std::to_string(i) + ".wav", voice(100 + 20 * i, 0.4, 0.01 * i), "sad", "male");
  const std::string one = survey_json(survey(1));
  for (const int threads : {2, 7}) EXPECT_EQ(survey_json(survey(threads)), one);
}

TEST(Distribution, InterpolatesQuantilesAndLeavesNanOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Distribution d = distribution({4, nan, 2, 1, 3, 5});
  EXPECT_EQ(d.n, 5);
  EXPECT_DOUBLE_EQ(d.median, 3);
  EXPECT_DOUBLE_EQ(d.p25, 2);
  EXPECT_DOUBLE_EQ(d.p95, 4.8);
  EXPECT_DOUBLE_EQ(d.mean, 3);
  EXPECT_EQ(distribution({nan}).n, 0);
}

}  // namespace
}  // namespace ser
