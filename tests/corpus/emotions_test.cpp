#include <gtest/gtest.h>

#include "ser/corpus/corpus.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Utterance> clips(const std::vector<std::string>& emotions) {
  std::vector<Utterance> result;
  for (const std::string& emotion : emotions) result.emplace_back().emotion = emotion;
  return result;
}

std::vector<std::string> emotions(const std::vector<Utterance>& utterances) {
  std::vector<std::string> result;
  for (const Utterance& clip : utterances) result.push_back(clip.emotion);
  return result;
}

TEST(CanonicalEmotion, KnowsOtherSpellings) {
  EXPECT_EQ(canonical_emotion("Anger"), "angry");
  EXPECT_EQ(canonical_emotion(" happiness "), "happy");
  EXPECT_EQ(canonical_emotion("pleasant-surprise"), "surprised");
  EXPECT_EQ(canonical_emotion("NEUTRAL"), "neutral");
  EXPECT_EQ(canonical_emotion("Boredom"), "bored");
  EXPECT_EQ(canonical_emotion("My Class"), "My Class");
}

TEST(EmotionLabels, KnownEmotionsComeFirst) {
  EXPECT_THAT(emotion_labels(clips({"zeal", "sad", "", "bored", "neutral", "sad"})),
              ElementsAre("neutral", "sad", "bored", "zeal"));
}

TEST(SelectEmotions, MergesThenChooses) {
  const auto chosen = select_emotions(clips({"calm", "neutral", "happy", "sad", ""}),
                                      {"neutral", "Sadness"}, {"calm=neutral"});
  EXPECT_THAT(emotions(chosen), ElementsAre("neutral", "neutral", "sad"));
}

TEST(SelectEmotions, KeepsAllWithoutAList) {
  EXPECT_THAT(emotions(select_emotions(clips({"calm", "", "happy"}), {}, {"calm=rest"})),
              ElementsAre("rest", "", "happy"));
}

TEST(SelectEmotions, MapsAllAtOnce) {
  EXPECT_THAT(emotions(select_emotions(clips({"sad", "happy"}), {}, {"sad=happy", "happy=sad"})),
              ElementsAre("happy", "sad"));
}

TEST(SelectEmotions, NamesTheNearestClass) {
  EXPECT_ERROR(select_emotions(clips({"happy", "sad"}), {"hapy"}, {}),
               AllOf(HasSubstr("'hapy'"), HasSubstr("did you mean 'happy'"),
                     HasSubstr("expected one of happy, sad")));
  EXPECT_ERROR(select_emotions(clips({"happy", "calm"}), {}, {"clam=happy"}),
               HasSubstr("did you mean 'calm'"));
  EXPECT_ERROR(select_emotions(clips({"calm", "neutral"}), {"calm"}, {"calm=neutral"}),
               HasSubstr("emotion 'calm'"));
  EXPECT_ERROR(select_emotions(clips({""}), {"calm"}, {}), HasSubstr("no clip has a label"));
  EXPECT_ERROR(select_emotions(clips({"calm"}), {}, {"calm"}),
               HasSubstr("expected 'from=to', found 'calm'"));
  EXPECT_ERROR(select_emotions(clips({"calm"}), {}, {"calm=a", "calm=b"}),
               HasSubstr("'calm' is mapped twice"));
}

}  // namespace
}  // namespace ser
