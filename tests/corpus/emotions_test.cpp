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
}

TEST(CanonicalEmotion, KnowsAbbreviations) {
  const std::map<std::string, std::string> meanings = {
      {"ang", "angry"},    {"HAP", "happy"},   {"fea", "fearful"}, {"sur", "surprised"},
      {"ps", "surprised"}, {"neu", "neutral"}, {"Dis", "disgust"}, {"Surprise", "surprised"},
      {"fear", "fearful"}, {"Angry", "angry"}, {"bor", "bored"},   {"SADNESS", "sad"}};
  for (const auto& [name, emotion] : meanings) EXPECT_EQ(canonical_emotion(name), emotion);
}

TEST(CanonicalEmotion, OtherClassesAreFoldedToLowerCase) {
  EXPECT_EQ(canonical_emotion("RUDE"), canonical_emotion("rude"));
  EXPECT_EQ(canonical_emotion("My_Class"), "my_class");
}

TEST(CanonicalEmotion, WordsForNothingAreNoClass) {
  for (const char* name : {"", " ", "nan", "NaN", "None", "xxx", "N/A", "null", "unknown", "-"})
    EXPECT_EQ(canonical_emotion(name), "") << name;
}

TEST(UnusualEmotions, AreThoseOfNoUsualName) {
  EXPECT_THAT(unusual_emotions({"neutral", "sad", "bored", "anna", "rude"}),
              ElementsAre("anna", "rude"));
}

TEST(CanonicalGender, KnowsWhatIsUnknown) {
  for (const char* name : {"", "unknown", "N/A", "other", "nan", "None", "#N/A", "Non-binary"})
    EXPECT_EQ(canonical_gender(name), "") << name;
  EXPECT_EQ(canonical_gender(" F "), "female");
  EXPECT_EQ(canonical_gender("Man"), "male");
  EXPECT_ERROR(canonical_gender("x"), HasSubstr("expected male, female or nothing, found 'x'"));
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

TEST(SelectEmotions, MapsWithinACorpus) {
  std::vector<Utterance> given = clips({"bored", "bored", "bored"});
  given[0].corpus = given[1].corpus = "emodb";
  EXPECT_THAT(emotions(select_emotions(given, {}, {"emodb:bored=neutral"})),
              ElementsAre("neutral", "neutral", "bored"));
  EXPECT_THAT(emotions(select_emotions(given, {}, {"bored=calm", "emodb:bored=neutral"})),
              ElementsAre("neutral", "neutral", "calm"));
  EXPECT_ERROR(select_emotions(given, {}, {"tess:bored=neutral"}),
               HasSubstr("no clip is of corpus 'tess'"));
}

TEST(SelectEmotions, MergesAndDropsVotes) {
  std::vector<Utterance> given = clips({"calm", "sad"});
  given[0].votes = {{"calm", 3}, {"neutral", 2}, {"sad", 1}, {"angry", 4}};
  const auto chosen = select_emotions(given, {"neutral", "sad"}, {"calm=neutral"});
  EXPECT_EQ(chosen[0].votes, (std::map<std::string, double>{{"neutral", 5}, {"sad", 1}}));
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
