#include "ser/eval/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "eval/heard.h"
#include "support/errors.h"
#include "support/synthetic_table.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<int> all_of(const std::vector<Utterance>& clips) {
  std::vector<int> all(clips.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::vector<Utterance> clips_of(const std::vector<std::string>& speakers) {
  std::vector<Utterance> clips;
  for (const std::string& speaker : speakers) {
    Utterance& clip = clips.emplace_back();
    clip.corpus = "red";
    clip.speaker = speaker;
    clip.path = std::to_string(clips.size()) + ".wav";
  }
  return clips;
}

/// Of a model that believes all it hears.
Recipe listening_recipe() {
  Recipe recipe;
  from_json(R"({"listening": {"enabled": true, "diversity_low": 0, "diversity_high": 0.001},
                "network": {"layers": [{"type": "dense", "units": 8, "activation": "relu"}]},
                "training": {"epochs": 6, "learning_rate": 0.01}})",
            recipe);
  return recipe;
}

TEST(Heard, CountsAreReadFromAList) {
  EXPECT_THAT(parse_heard("0,4,16,all"), ElementsAre(0, 4, 16, kAllHeard));
  EXPECT_EQ(heard_text(16), "16");
  EXPECT_EQ(heard_text(kAllHeard), "all");
  EXPECT_ERROR(parse_heard(""), HasSubstr("found none"));
  EXPECT_ERROR(parse_heard("4,some"), HasSubstr("some"));
  EXPECT_ERROR(parse_heard("-1"), HasSubstr("0 clips heard or more, found -1"));
  EXPECT_ERROR(parse_heard("4,0,4"), HasSubstr("found 4 twice"));
}

TEST(Heard, OtherClipsOfTheSameVoiceOnly) {
  std::vector<Utterance> clips = clips_of({"1", "1", "1", "2", "", "1", ""});
  clips[5].corpus = "blue";
  EXPECT_THAT(draw_heard(clips, all_of(clips), kAllHeard, 1),
              ElementsAre(UnorderedElementsAre(1, 2), UnorderedElementsAre(0, 2),
                          UnorderedElementsAre(0, 1), IsEmpty(), IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST(Heard, PlacesAreThoseAmongTheScoredClips) {
  const std::vector<Utterance> clips = clips_of({"1", "1", "1", "2"});
  EXPECT_THAT(draw_heard(clips, {3, 2, 0}, kAllHeard, 1),
              ElementsAre(IsEmpty(), ElementsAre(2), ElementsAre(1)));
}

TEST(Heard, TheSameRecordingIsNotHeardFirst) {
  std::vector<Utterance> clips = clips_of({"1", "1", "1"});
  clips[0].content = clips[1].content = "abc";
  EXPECT_THAT(draw_heard(clips, all_of(clips), kAllHeard, 1),
              ElementsAre(ElementsAre(2), ElementsAre(2), UnorderedElementsAre(0, 1)));
}

TEST(Heard, FewerAreAmongMore) {
  const std::vector<Utterance> clips = clips_of(std::vector<std::string>(30, "1"));
  const HeardClips four = draw_heard(clips, all_of(clips), 4, 1);
  const HeardClips more = draw_heard(clips, all_of(clips), 16, 1);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    EXPECT_THAT(four[i], AllOf(SizeIs(4), IsSubsetOf(more[i])));
    EXPECT_THAT(more[i], SizeIs(16));
  }
  EXPECT_NE(four, draw_heard(clips, all_of(clips), 4, 2));
}

TEST(Heard, NothingToHearIsRefused) {
  const std::vector<Utterance> clips = clips_of({"1", "", ""});
  const HeardClips nothing = draw_heard(clips, all_of(clips), 4, 1);
  EXPECT_THAT(nothing, ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
  const Fold all{{}, {0, 1, 2}, {}};
  EXPECT_ERROR(check_hears(clips, {all, all}, {0, 4}), HasSubstr("other clips of the speakers"));
  EXPECT_NO_THROW(check_hears(clips, {all}, {0}));
  const std::vector<Utterance> three = clips_of({"1", "2", "2"});
  EXPECT_NO_THROW(check_hears(three, {{{}, {0, 1}, {}}, {{}, {1, 2}, {}}}, {4}));
  EXPECT_ERROR(check_hears(three, {{{}, {0, 1}, {}}}, {4}), HasSubstr("found none"));
  EXPECT_THAT(draw_heard(clips, all_of(clips), 0, 1), SizeIs(3));
}

TEST(Heard, EveryNumberIsScoredAsIfAlone) {
  const FeatureTable table = synthetic_table(6, 3);
  const SplitScheme scheme = parse_split_scheme("speakers:3");
  const Recipe recipe = listening_recipe();
  const auto scores = [&](const std::vector<int>& heard) {
    return cross_validate(table, scheme, recipe, 5, 0, {}, heard).result;
  };
  const ResultFile all = scores({0, 4, kAllHeard});
  EXPECT_EQ(
      result_json(scores({0})),
      result_json(make_result(
          all.info,
          {{0, all.folds[0].test_speakers, {all.predictions.begin(), all.predictions.begin() + 24}},
           {1,
            all.folds[1].test_speakers,
            {all.predictions.begin() + 24, all.predictions.begin() + 48}},
           {2,
            all.folds[2].test_speakers,
            {all.predictions.begin() + 48, all.predictions.end()}}})));
  ASSERT_THAT(all.more_heard, SizeIs(2));
  EXPECT_EQ(result_json(all.more_heard[0]), result_json(scores({4})));
  EXPECT_EQ(result_json(all.more_heard[1]), result_json(scores({kAllHeard})));
  EXPECT_NE(all.more_heard[0].predictions[0].probabilities, all.predictions[0].probabilities);
}

TEST(Heard, FoldsScoredApartHearTheSame) {
  const FeatureTable table = synthetic_table(6, 3);
  const SplitScheme scheme = parse_split_scheme("speakers:3");
  const Recipe recipe = listening_recipe();
  const ResultFile together = cross_validate(table, scheme, recipe, 5, 0, {}, {0, 4}).result;
  const std::vector<Fold> folds = make_folds(table.clips, scheme, 5);
  std::vector<ResultFile> apart;
  for (int k = 0; k < 3; ++k) {
    const Fold& fold = folds[static_cast<std::size_t>(k)];
    const auto stream = static_cast<std::uint64_t>(k);
    const Model model =
        train(training_data(table, fold.train, recipe, 5, stream), recipe, {5, stream, 1});
    apart.push_back(score_model(model, {&table}, fold, 1, "speakers:3", k, {0, 4}));
  }
  EXPECT_EQ(result_json(merge_results(apart, {"0", "1", "2"})), result_json(together));
}

TEST(Heard, WhoDoesNotListenIsNotAsked) {
  const FeatureTable table = synthetic_table(4, 2);
  Recipe recipe = listening_recipe();
  recipe.listening.enabled = false;
  EXPECT_ERROR(cross_validate(table, parse_split_scheme("speakers:2"), recipe, 1, 1, {}, {0, 4}),
               HasSubstr("4 clips heard: expected a model that listens"));
  const std::vector<int> all = all_of(table.clips);
  const Model model = train({table, all, {}}, recipe, {1, 0, 1});
  EXPECT_ERROR(score_model(model, {&table}, {{}, all, {}}, 1, "", 0, {kAllHeard}),
               HasSubstr("all clips heard: expected a model that listens"));
}

}  // namespace
}  // namespace ser
