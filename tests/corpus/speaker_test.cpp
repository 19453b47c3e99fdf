#include "ser/corpus/speaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ser {
namespace {

using testing::ElementsAre;
using testing::Ne;

Utterance of(const std::string& corpus, const std::string& speaker) {
  Utterance clip;
  clip.corpus = corpus;
  clip.speaker = speaker;
  return clip;
}

TEST(SpeakerName, IsCorpusAndSpeakerWhateverElseIsThere) {
  EXPECT_EQ(speaker_name(of("ravdess", "07")), "ravdess:07");
  EXPECT_EQ(speaker_name(of("tess", "OAF")), "tess:OAF");
  EXPECT_EQ(speaker_name(of("", "anna")), "anna");
  EXPECT_EQ(speaker_name(of("ravdess", "")), "");
}

TEST(SpeakerName, SpellingsOfANumberAreOneSpeaker) {
  for (const char* spelling : {"1", "01", "001", "1.0", "01.", "1.00"})
    EXPECT_EQ(speaker_name(of("x", spelling)), "x:01") << spelling;
  for (const char* name : {"1.5", "1a", "-1", "1.0.0", ".0", "1234567890"})
    EXPECT_EQ(canonical_speaker(name), name);
  EXPECT_EQ(canonical_speaker("1062"), "1062");
}

TEST(SpeakerName, GivesBackItsClip) {
  for (const char* name : {"ravdess:07", "anna", "my corpus:a:b", ""})
    EXPECT_EQ(speaker_name(clip_of_speaker(name)), name);
}

std::string hash(const std::vector<float>& samples, int rate_hz = 16000) {
  ContentHash hash(rate_hz);
  hash.add(samples);
  return hash.text();
}

TEST(ContentHash, TellsSamplesAndRate) {
  EXPECT_EQ(hash({0.5f, -0.25f}), hash({0.5f, -0.25f + 1e-6f}));
  EXPECT_THAT(hash({0.5f, -0.25f}), Ne(hash({-0.25f, 0.5f})));
  EXPECT_THAT(hash({0.5f, -0.25f}), Ne(hash({0.5f, 0.25f})));
  EXPECT_THAT(hash({0.5f}), Ne(hash({0.5f, 0})));
  EXPECT_THAT(hash({0.5f}), Ne(hash({0.5f}, 48000)));
}

TEST(ContentHash, DoesNotDependOnTheBlocks) {
  ContentHash blocks(16000);
  blocks.add(std::vector<float>{0.1f, 0.2f});
  blocks.add(std::vector<float>{0.3f});
  EXPECT_EQ(blocks.text(), hash({0.1f, 0.2f, 0.3f}));
}

TEST(RecordingNumbers, JoinCopiesContentAndModalities) {
  std::vector<Utterance> clips(8);
  clips[0].path = "a.wav";
  clips[1].path = "b.wav";
  clips[2].path = "a.wav";
  clips[2].augmentation = "speed:0.9";
  clips[3].path = "c.wav";
  clips[1].content = clips[3].content = "0123456789abcdef";
  clips[4].path = "03-01-05-01-02-01-12.wav";
  clips[5].path = "video/01-01-05-01-02-01-12.wav";
  clips[6].path = "03-01-05-01-02-02-12.wav";
  clips[7].path = "a.wav";
  clips[7].corpus = "another";
  EXPECT_THAT(recording_numbers(clips), ElementsAre(0, 1, 0, 1, 2, 2, 3, 4));
}

}  // namespace
}  // namespace ser
