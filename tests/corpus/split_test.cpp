#include "ser/corpus/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/errors.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kCopies = 2;

/// RAVDESS-like clips: `per_speaker` recordings of each speaker, all emotions in turn, each
/// followed by augmented copies.
std::vector<Utterance> corpus(const std::vector<std::string>& speakers, int per_speaker = 16) {
  const std::vector<std::string> emotions = {"neutral", "calm", "happy", "sad", "angry"};
  std::vector<Utterance> clips;
  for (std::size_t s = 0; s < speakers.size(); ++s)
    for (int i = 0; i < per_speaker; ++i)
      for (int copy = 0; copy <= kCopies; ++copy) {
        Utterance clip;
        clip.path = "s" + speakers[s] + "/" + std::to_string(i) + ".wav";
        clip.corpus = "ravdess";
        clip.speaker = speakers[s];
        clip.gender = s % 2 == 0 ? "male" : "female";
        clip.emotion = emotions[static_cast<std::size_t>(i) % emotions.size()];
        if (copy > 0) clip.augmentation = "speed:" + std::to_string(copy);
        clips.push_back(clip);
      }
  return clips;
}

std::vector<std::string> numbered(int count) {
  std::vector<std::string> ids;
  for (int i = 1; i <= count; ++i) ids.push_back(std::to_string(i));
  return ids;
}

template <typename Key>
std::set<std::string> keys(const std::vector<Utterance>& clips, const std::vector<int>& chosen,
                           Key key) {
  std::set<std::string> result;
  for (const int i : chosen) result.insert(key(clips[static_cast<std::size_t>(i)]));
  return result;
}
std::string speaker_of(const Utterance& clip) { return clip.corpus + clip.speaker; }
std::string recording_of(const Utterance& clip) { return clip.corpus + clip.path; }

template <typename Key>
bool share(const std::vector<Utterance>& clips, const std::vector<int>& a,
           const std::vector<int>& b, Key key) {
  const auto of_a = keys(clips, a, key), of_b = keys(clips, b, key);
  return std::any_of(of_a.begin(), of_a.end(), [&](const auto& k) { return of_b.contains(k); });
}

std::vector<Fold> folds(const std::vector<Utterance>& clips, std::string_view scheme,
                        std::uint64_t seed = 1) {
  return make_folds(clips, parse_split_scheme(scheme), seed);
}

std::vector<std::vector<std::string>> test_speakers(const std::vector<Fold>& all) {
  std::vector<std::vector<std::string>> result;
  for (const Fold& fold : all) result.push_back(fold.test_speakers);
  return result;
}

std::vector<std::string> of_ravdess(const std::vector<int>& numbers) {
  std::vector<std::string> names;
  for (const int number : numbers)
    names.push_back((number < 10 ? "ravdess:0" : "ravdess:") + std::to_string(number));
  return names;
}

class EveryScheme : public testing::TestWithParam<const char*> {};

TEST_P(EveryScheme, NoSpeakerAndNoCopyCrossesASplit) {
  const std::vector<Utterance> clips = corpus(numbered(24));
  const SplitScheme scheme = parse_split_scheme(GetParam());
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const Fold& fold : make_folds(clips, scheme, seed)) {
      EXPECT_FALSE(share(clips, fold.train, fold.test, recording_of));
      EXPECT_EQ(share(clips, fold.train, fold.test, speaker_of),
                scheme.kind == SplitScheme::Kind::kRandom);
      for (const int i : fold.test) EXPECT_EQ(clips[static_cast<std::size_t>(i)].augmentation, "");
      const ValidationSplit split = hold_out_validation(clips, fold.train, seed, 3);
      ASSERT_FALSE(split.validation.empty());
      EXPECT_FALSE(share(clips, split.train, split.validation, speaker_of));
      EXPECT_FALSE(share(clips, split.train, split.validation, recording_of));
      EXPECT_FALSE(share(clips, fold.test, split.validation, recording_of));
      for (const int i : split.validation)
        EXPECT_EQ(clips[static_cast<std::size_t>(i)].augmentation, "");
    }
}

TEST_P(EveryScheme, EachOriginalIsTestedAtMostOnce) {
  const std::vector<Utterance> clips = corpus(numbered(24));
  std::map<int, int> tested;
  for (const Fold& fold : folds(clips, GetParam())) {
    EXPECT_TRUE(std::is_sorted(fold.train.begin(), fold.train.end()));
    EXPECT_TRUE(std::is_sorted(fold.test.begin(), fold.test.end()));
    EXPECT_EQ(fold.train.size() + (kCopies + 1) * fold.test.size(), clips.size());
    for (const int i : fold.test) ++tested[i];
  }
  const bool all_tested = !std::string_view(GetParam()).starts_with("actors");
  EXPECT_EQ(tested.size() == clips.size() / (kCopies + 1), all_tested);
  for (const auto& [clip, times] : tested) EXPECT_EQ(times, 1) << clip;
}

INSTANTIATE_TEST_SUITE_P(Schemes, EveryScheme,
                         testing::Values("speakers:6", "speakers:5", "speakers:2", "luna", "loso",
                                         "random:4", "random:7", "actors:19-24", "actors:3,8"));

TEST(Split, SpeakersAreContiguousBlocksInNumericOrder) {
  const std::vector<Fold> all = folds(corpus(numbered(24)), "speakers:6");
  ASSERT_EQ(all.size(), 6u);
  EXPECT_THAT(all[0].test_speakers, of_ravdess({1, 2, 3, 4}));
  EXPECT_THAT(all[2].test_speakers, of_ravdess({9, 10, 11, 12}));
}

TEST(Split, BlockSizesDifferByAtMostOne) {
  EXPECT_THAT(test_speakers(folds(corpus(numbered(8)), "speakers:3")),
              ElementsAre(SizeIs(3), SizeIs(3), SizeIs(2)));
}

TEST(Split, NamesAreSortedAsTextBehindNumbers) {
  EXPECT_THAT(test_speakers(folds(corpus({"YAF", "OAF", "100", "99"}), "loso")),
              ElementsAre(ElementsAre("ravdess:99"), ElementsAre("ravdess:100"),
                          ElementsAre("ravdess:OAF"), ElementsAre("ravdess:YAF")));
}

TEST(Split, SpeakersOfTwoCorporaAreDifferentPeople) {
  std::vector<Utterance> clips = corpus({"03"});
  for (Utterance clip : corpus({"03"})) {
    clip.corpus = "emodb";
    clips.push_back(clip);
  }
  EXPECT_THAT(test_speakers(folds(clips, "loso")),
              ElementsAre(ElementsAre("emodb:03"), ElementsAre("ravdess:03")));
}

TEST(Split, CopiesUnderOtherNamesAreOnOneSideOfRandomFolds) {
  std::vector<Utterance> clips = corpus(numbered(4));
  for (std::size_t i = 0; i < clips.size(); ++i) clips[i].content = std::to_string(i / 3);
  for (Utterance clip : std::vector(clips)) {
    clip.path = "again/" + clip.path;
    clips.push_back(clip);
  }
  const auto content_of = [](const Utterance& clip) { return clip.content; };
  for (const Fold& fold : folds(clips, "random:4")) {
    EXPECT_FALSE(share(clips, fold.train, fold.test, content_of));
    EXPECT_EQ(fold.test.size(), 32u);
    const ValidationSplit split = hold_out_validation(clips, fold.train, 1, 1);
    EXPECT_FALSE(share(clips, split.train, split.validation, content_of));
  }
}

TEST(Split, ACopyUnderAnotherSpeakerIsLeftOutOfTraining) {
  std::vector<Utterance> clips = corpus(numbered(4));
  for (Utterance& clip : clips) clip.content = clip.path;
  clips.back().content = clips.front().content;
  const std::vector<Fold> all = folds(clips, "loso");
  const auto last = static_cast<int>(clips.size()) - 1;
  EXPECT_FALSE(std::binary_search(all[0].train.begin(), all[0].train.end(), last));
  EXPECT_FALSE(std::binary_search(all[3].train.begin(), all[3].train.end(), 0));
  EXPECT_TRUE(std::binary_search(all[1].train.begin(), all[1].train.end(), last));
}

TEST(Split, LunaIsThePublishedFolds) {
  EXPECT_THAT(test_speakers(folds(corpus(numbered(24)), "luna")),
              ElementsAre(of_ravdess({2, 5, 14, 15, 16}), of_ravdess({3, 6, 7, 13, 18}),
                          of_ravdess({10, 11, 12, 19, 20}), of_ravdess({8, 17, 21, 23, 24}),
                          of_ravdess({1, 4, 9, 22})));
}

TEST(Split, AbsentActorsAreLeftOutAndNamed) {
  const std::vector<Utterance> clips = corpus(numbered(20));
  EXPECT_THAT(folds(clips, "luna")[3].test_speakers, of_ravdess({8, 17}));
  EXPECT_THAT(split_warnings(clips, parse_split_scheme("luna")),
              ElementsAre(HasSubstr("left out: speakers 21, 22, 23, 24")));
  EXPECT_THAT(split_warnings(clips, parse_split_scheme("actors:19-21")),
              ElementsAre(HasSubstr("left out: speaker 21")));
  EXPECT_THAT(split_warnings(clips, parse_split_scheme("speakers:6")), IsEmpty());
}

TEST(Split, RandomWarnsThatSpeakersLeak) {
  EXPECT_THAT(split_warnings(corpus(numbered(4)), parse_split_scheme("random:4")),
              ElementsAre(HasSubstr("speakers leak")));
}

TEST(Split, RandomIsStratifiedAndSeeded) {
  const std::vector<Utterance> clips = corpus(numbered(6), 20);  // 24 recordings of each emotion
  for (const Fold& fold : folds(clips, "random:4")) {
    std::map<std::string, int> counts;
    for (const int i : fold.test) ++counts[clips[static_cast<std::size_t>(i)].emotion];
    for (const auto& [emotion, count] : counts) EXPECT_EQ(count, 6) << emotion;
  }
  EXPECT_EQ(folds(clips, "random:4", 7)[0].test, folds(clips, "random:4", 7)[0].test);
  EXPECT_NE(folds(clips, "random:4", 7)[0].test, folds(clips, "random:4", 8)[0].test);
}

/// Corpora "a" and "b" with speakers of their own; "b" has no calm and some bored clips.
std::vector<Utterance> two_corpora(int of_a, int of_b) {
  std::vector<Utterance> clips = corpus(numbered(of_a));
  for (Utterance& clip : clips) clip.corpus = "a";
  for (Utterance clip : corpus(numbered(of_b))) {
    clip.corpus = "b";
    if (clip.emotion == "calm") clip.emotion = "bored";
    clips.push_back(clip);
  }
  return clips;
}

TEST(Split, SpeakersAreDealtWithinEachCorpus) {
  const auto sides = test_speakers(folds(two_corpora(5, 2), "speakers:3"));
  EXPECT_THAT(sides, ElementsAre(ElementsAre("a:01", "a:02", "b:01"),
                                 ElementsAre("a:03", "a:04", "b:02"), ElementsAre("a:05")));
  EXPECT_ERROR(folds(two_corpora(5, 2), "speakers:6"),
               HasSubstr("expected at least 6 speakers, found 5"));
}

TEST(Split, CorporaTestsOneOnTheClassesOfTheOthers) {
  const std::vector<Utterance> clips = two_corpora(3, 2);
  const std::vector<Fold> all = folds(clips, "corpora");
  ASSERT_EQ(all.size(), 2u);
  const auto corpus_of = [](const Utterance& clip) { return clip.corpus; };
  const auto emotion_of = [](const Utterance& clip) { return clip.emotion; };
  EXPECT_THAT(keys(clips, all[0].test, corpus_of), ElementsAre("a"));
  EXPECT_THAT(keys(clips, all[0].train, corpus_of), ElementsAre("b"));
  EXPECT_THAT(keys(clips, all[0].test, emotion_of),
              ElementsAre("angry", "happy", "neutral", "sad"));
  EXPECT_THAT(keys(clips, all[1].test, emotion_of),
              ElementsAre("angry", "happy", "neutral", "sad"));
  EXPECT_THAT(all[1].test_speakers, ElementsAre("b:01", "b:02"));
  for (const int i : all[0].test) EXPECT_EQ(clips[static_cast<std::size_t>(i)].augmentation, "");
  EXPECT_THAT(split_warnings(clips, parse_split_scheme("corpora")),
              ElementsAre(HasSubstr("the class: a calm (9), b bored (6)")));
}

TEST(Split, CorporaNeedsTwoWithSomeClassInCommon) {
  EXPECT_ERROR(folds(corpus(numbered(3)), "corpora"),
               HasSubstr("expected clips of at least two corpora, found 'ravdess'"));
  std::vector<Utterance> clips = two_corpora(2, 2);
  clips[1].corpus.clear();
  EXPECT_ERROR(folds(clips, "corpora"),
               HasSubstr("expected clips with a corpus; found none for 1"));
  clips = two_corpora(2, 2);
  for (Utterance& clip : clips)
    if (clip.corpus == "b") clip.emotion = "bored";
  EXPECT_ERROR(folds(clips, "corpora"),
               HasSubstr("fold 0 (a): none of its emotions is one of the other corpora's"));
  clips.back().emotion = "happy";
  EXPECT_ERROR(folds(clips, "corpora"), HasSubstr("fold 0 (a): 'happy' alone is one of the other"));
}

TEST(Split, RefusesWhatItCannotDivide) {
  std::vector<Utterance> clips = corpus(numbered(3));
  EXPECT_ERROR(folds({}, "loso"), HasSubstr("found none"));
  EXPECT_ERROR(folds(clips, "speakers:6"), HasSubstr("expected at least 6 speakers, found 3"));
  EXPECT_ERROR(folds(corpus({"1"}), "loso"), HasSubstr("no clip is left to train on"));
  EXPECT_ERROR(
      folds(clips, "actors:19-24"),
      HasSubstr("fold 0: no clip is left to test: none of its speakers is there, but 1, 2"));
  EXPECT_ERROR(folds(corpus({"1"}, 2), "random:4"), HasSubstr("expected at least 4 clips"));
  clips[4].speaker = "";
  EXPECT_ERROR(folds(clips, "speakers:2"), HasSubstr("use random:K"));
  clips[4].emotion = "";
  EXPECT_ERROR(folds(clips, "random:2"), HasSubstr("expected clips with an emotion"));
  clips = corpus(numbered(24));
  for (Utterance& clip : clips) clip.corpus = "emodb";
  EXPECT_ERROR(folds(clips, "luna"), HasSubstr("RAVDESS only, found corpus 'emodb'"));
}

TEST(SplitScheme, NamesRoundTrip) {
  for (const char* text : {"speakers:6", "luna", "loso", "random:4", "actors:19-24", "actors:1,4,9",
                           "actors:1-3,7", "actors:1-2", "corpora"})
    EXPECT_EQ(parse_split_scheme(text).name(), text);
}

TEST(SplitScheme, RefusesWhatItDoesNotKnow) {
  EXPECT_ERROR(parse_split_scheme("speaker:6"), HasSubstr("did you mean 'speakers'"));
  EXPECT_ERROR(parse_split_scheme("speakers"), HasSubstr("expected speakers:K"));
  EXPECT_ERROR(parse_split_scheme("speakers:1"), HasSubstr("expected 2 to 1000, found 1"));
  EXPECT_ERROR(parse_split_scheme("random:x"), HasSubstr("expected an integer, found 'x'"));
  EXPECT_ERROR(parse_split_scheme("actors:"), HasSubstr("found none"));
  EXPECT_ERROR(parse_split_scheme("actors:24-19"), HasSubstr("rising"));
  EXPECT_ERROR(parse_split_scheme("actors:999999999"), HasSubstr("expected 0 to"));
  EXPECT_ERROR(parse_split_scheme("actors:1-99999,2-99999"), HasSubstr("at most 100000 speakers"));
}

TEST(HoldOutValidation, DrawsOneSpeakerInEightBalancedByGender) {
  const std::vector<Utterance> clips = corpus(numbered(32));
  std::vector<int> train(clips.size());
  for (std::size_t i = 0; i < train.size(); ++i) train[i] = static_cast<int>(i);
  std::set<std::vector<int>> seen;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const ValidationSplit split = hold_out_validation(clips, train, seed, 0);
    EXPECT_EQ(keys(clips, split.validation, speaker_of).size(), 4u);
    const auto men = std::count_if(split.validation.begin(), split.validation.end(), [&](int i) {
      return clips[static_cast<std::size_t>(i)].gender == "male";
    });
    EXPECT_EQ(2 * static_cast<std::size_t>(men), split.validation.size());
    EXPECT_EQ(split.validation, hold_out_validation(clips, train, seed, 0).validation);
    seen.insert(split.validation);
  }
  EXPECT_GT(seen.size(), 1u);
}

TEST(HoldOutValidation, KeepsTheOnlySpeakerOfAGenderInTraining) {
  std::vector<Utterance> clips = corpus(numbered(4));
  for (Utterance& clip : clips) clip.gender = clip.speaker == "2" ? "female" : "male";
  std::vector<int> train(clips.size());
  for (std::size_t i = 0; i < train.size(); ++i) train[i] = static_cast<int>(i);
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const int i : hold_out_validation(clips, train, seed, 0).validation)
      EXPECT_NE(clips[static_cast<std::size_t>(i)].speaker, "2");
}

TEST(HoldOutValidation, NeedsFourSpeakers) {
  const std::vector<Utterance> clips = corpus(numbered(3));
  std::vector<int> train = {0, 1, 2, 48, 49, 50, 96};
  const ValidationSplit split = hold_out_validation(clips, train, 1, 0);
  EXPECT_THAT(split.validation, IsEmpty());
  EXPECT_EQ(split.train, train);
}

TEST(HoldOutValidation, TakesOneClipInEightWithoutSpeakers) {
  std::vector<Utterance> clips = corpus({""}, 40);
  std::vector<int> train(clips.size());
  for (std::size_t i = 0; i < train.size(); ++i) train[i] = static_cast<int>(i);
  const ValidationSplit split = hold_out_validation(clips, train, 1, 0);
  EXPECT_EQ(split.validation.size(), 5u);
  EXPECT_EQ(keys(clips, split.validation, [](const Utterance& c) { return c.emotion; }).size(), 5u);
  EXPECT_EQ(split.train.size(), clips.size() - 15);
}

}  // namespace
}  // namespace ser
