#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "ser/core/parallel.h"
#include "ser/corpus/speaker.h"
#include "ser/eval/evaluate.h"
#include "support/errors.h"
#include "support/synthetic_table.h"
#include "support/temp_folder.h"
#include "support/thread_team.h"

namespace ser {
namespace {

using testing::HasSubstr;

Recipe small_recipe(bool early_stopping) {
  Recipe recipe;
  from_json(R"({"members": 2,
                "network": {"layers": [{"type": "dense", "units": 8, "activation": "relu"}]},
                "training": {"epochs": 6, "learning_rate": 0.01}})",
            recipe);
  recipe.training.early_stopping.enabled = early_stopping;
  return recipe;
}

TEST(CrossValidation, FoldsRunOneByOneGiveTheSameBytes) {
  const FeatureTable table = synthetic_table(9, 3);
  for (const bool early_stopping : {false, true})
    for (const char* name : {"speakers:3", "random:3"}) {
      const SplitScheme scheme = parse_split_scheme(name);
      const Recipe recipe = small_recipe(early_stopping);
      const ResultFile together = cross_validate(table, scheme, recipe, 5, 0).result;
      const std::vector<Fold> folds = make_folds(table.clips, scheme, 5);
      std::vector<ResultFile> apart;
      std::vector<std::string> names;
      for (int k = 2; k >= 0; --k) {
        const auto fold = static_cast<std::size_t>(k);
        const Model model =
            train(training_data(table, folds[fold].train, recipe, 5, fold), recipe, {5, fold, 1});
        apart.push_back(make_result(
            together.info,
            {{k, folds[fold].test_speakers, evaluate(model, {&table}, folds[fold].test, 1)}}));
        names.push_back(std::to_string(k));
      }
      EXPECT_EQ(result_json(merge_results(apart, names)), result_json(together)) << name;
    }
}

TEST(CrossValidation, AFoldWithNothingToHearIsAStrangers) {
  FeatureTable table = synthetic_table(4, 2);
  // Of the last speaker one clip is left.
  for (Utterance& clip : table.clips)
    if (clip.speaker == table.clips.back().speaker && &clip != &table.clips.back())
      clip.speaker = table.clips.front().speaker;
  Recipe recipe = small_recipe(false);
  recipe.listening.enabled = true;
  const SplitScheme scheme = parse_split_scheme("loso");
  const ResultFile result = cross_validate(table, scheme, recipe, 1, 1, {}, {0, 4}).result;
  EXPECT_EQ(result.folds.back().scores.n, 1);
  for (Utterance& clip : table.clips) clip.speaker = clip.path;
  EXPECT_ERROR(cross_validate(table, scheme, recipe, 1, 1, {}, {0, 4}),
               HasSubstr("expected other clips of the speakers to hear"));
}

TEST(CrossValidation, ThreadsChangeNoByte) {
  const MoreThreadsThanCores seven(8);
  const FeatureTable table = synthetic_table(6, 3);
  const SplitScheme scheme = parse_split_scheme("speakers:3");
  const std::string one =
      result_json(cross_validate(table, scheme, small_recipe(true), 1, 1).result);
  for (const int threads : {2, 7})
    EXPECT_EQ(result_json(cross_validate(table, scheme, small_recipe(true), 1, threads).result),
              one);
}

TEST(CrossValidation, ProcessesChangeNothing) {
  const FeatureTable table = synthetic_table(6, 3);
  const SplitScheme scheme = parse_split_scheme("speakers:3");
  const Recipe recipe = small_recipe(true);
  const CrossValidation alone_done = cross_validate(table, scheme, recipe, 1, 1);
  for (const int ranks : {2, 5})
    run_as_team(ranks, [&](Team& team) {
      const CrossValidation done = cross_validate(table, scheme, recipe, 1, 1, {}, {0}, team);
      EXPECT_EQ(result_json(done.result), result_json(alone_done.result));
      ASSERT_EQ(done.curves.size(), alone_done.curves.size());
      for (std::size_t i = 0; i < done.curves.size(); ++i) {
        const std::vector<EpochReport>&a = done.curves[i].epochs, &b = alone_done.curves[i].epochs;
        EXPECT_EQ(done.curves[i].member, alone_done.curves[i].member);
        ASSERT_EQ(a.size(), b.size());
        EXPECT_EQ(a.back().loss, b.back().loss);
        EXPECT_EQ(a.back().validation_accuracy, b.back().validation_accuracy);
      }
    });
}

TEST(CrossValidation, AClassThatATrainingSideLacksIsMissed) {
  FeatureTable table = synthetic_table(4, 3);
  for (Utterance& clip : table.clips)
    if (clip.speaker == "1" && clip.emotion == "sad") clip.emotion = "bored";
  const SplitScheme scheme = parse_split_scheme("loso");
  const std::vector<Fold> folds = make_folds(table.clips, scheme, 1);
  EXPECT_EQ(missing_classes(table.clips, folds),
            "tested but not trained on, so missed: bored (fold 0)");
  const Recipe recipe = small_recipe(false);
  const ResultFile result = cross_validate(table, scheme, recipe, 1, 0).result;
  ASSERT_THAT(result.info.labels,
              testing::ElementsAre("neutral", "happy", "sad", "angry", "bored"));
  EXPECT_EQ(result.scores.per_class[4].support, 3);
  EXPECT_EQ(result.scores.per_class[4].recall, 0);
  const Model model = train(training_data(table, folds[0].train, recipe, 1, 0), recipe, {1, 0, 1});
  const ResultFile alone = score_model(model, {&table}, folds[0], 1, "loso", 0);
  EXPECT_EQ(alone.info.labels, result.info.labels);
  EXPECT_EQ(alone.predictions[0].probabilities, result.predictions[0].probabilities);
}

TEST(CrossValidation, ACorpusLeftOutIsScoredOnTheClassesInCommon) {
  FeatureTable table = synthetic_table(6, 3);
  for (Utterance& clip : table.clips) {
    clip.corpus = clip.speaker < "4" ? "blue" : "red";
    if (clip.corpus == "blue" && clip.emotion == "sad") clip.emotion = "bored";
  }
  const SplitScheme scheme = parse_split_scheme("corpora");
  EXPECT_EQ(missing_classes(table.clips, make_folds(table.clips, scheme, 1)), "");
  const ResultFile result = cross_validate(table, scheme, small_recipe(false), 1, 0).result;
  EXPECT_EQ(result.scores.n, 2 * 3 * 3 * 3);  // neutral, happy, angry
  for (const Prediction& p : result.predictions) {
    EXPECT_EQ(p.probabilities[2], 0) << "sad";
    EXPECT_EQ(p.probabilities[4], 0) << "bored";
    EXPECT_NEAR(p.probabilities[0] + p.probabilities[1] + p.probabilities[3], 1, 1e-9);
  }
}

TEST(CrossValidation, AugmentedCopiesAreTrainedOnButNeverScored) {
  FeatureTable table = synthetic_table(6, 2);
  const std::size_t originals = table.size();
  for (std::size_t i = 0; i < originals; ++i) {
    table.clips.push_back(table.clips[i]);
    table.clips.back().augmentation = "speed:0.9";
    table.offsets.push_back(table.offsets.back() + 1);
  }
  table.values.conservativeResize(Eigen::NoChange, table.offsets.back());
  table.values.rightCols(static_cast<Eigen::Index>(originals)) =
      table.values.leftCols(static_cast<Eigen::Index>(originals)).eval();
  const ResultFile result =
      cross_validate(table, parse_split_scheme("speakers:3"), small_recipe(false), 1, 0).result;
  EXPECT_EQ(result.scores.n, static_cast<std::int64_t>(originals));
}

TEST(Evaluate, TheFoldOfAModelIsTheOneItLeftOut) {
  const FeatureTable table = synthetic_table(4, 2);
  Model model;
  TrainingInfo& training = model.training;
  training = {7, "{}", "random:4", 2, {"synthetic:01", "synthetic:03"}};
  const auto why = [&](const char* name, int fold, std::uint64_t seed) {
    const SplitScheme scheme = parse_split_scheme(name);
    return not_left_out(model, table.clips,
                        make_folds(table.clips, scheme, seed)[static_cast<std::size_t>(fold)],
                        scheme, fold, seed);
  };
  EXPECT_EQ(why("random:4", 2, 7), "");
  EXPECT_EQ(why("random:4", 0, 7), "fold 0 of random:4: the model left out fold 2 of random:4");
  EXPECT_EQ(why("random:5", 2, 7), "fold 2 of random:5: the model left out fold 2 of random:4");
  EXPECT_THAT(why("random:4", 2, 1), HasSubstr("drawn with seed 7, not 1"));
  training.split = "speakers:4";
  training.speakers = {"synthetic:01", "synthetic:02"};
  EXPECT_EQ(why("speakers:4", 2, 1), "") << "the seed draws nothing";
  training.speakers = {"synthetic:01", "synthetic:03"};
  training.split.clear();
  EXPECT_THAT(why("speakers:4", 2, 7), HasSubstr("trained on all clips"));
  EXPECT_EQ(why("speakers:4", 3, 7), "") << "a speaker it was not trained on";
  training.speakers.clear();
  EXPECT_THAT(why("speakers:4", 3, 7), HasSubstr("trained on all clips")) << "nobody knows";
}

TEST(Evaluate, AFoldOfThatNameOfOtherClipsIsNotTheOneLeftOut) {
  FeatureTable table = synthetic_table(4, 2);
  for (std::size_t i = 0; i < table.size(); ++i) table.clips[i].content = fmt::format("{:02}", i);
  Model model;
  const auto why = [&](const char* name) {
    const SplitScheme scheme = parse_split_scheme(name);
    return not_left_out(model, table.clips, make_folds(table.clips, scheme, 7)[0], scheme, 0, 7);
  };
  const int tested = make_folds(table.clips, parse_split_scheme("random:4"), 7)[0].test[0];
  model.training = {7, "{}", "random:4", 0, speaker_names(table.clips), {"some other"}};
  std::ranges::sort(model.training.speakers);
  EXPECT_EQ(why("random:4"), "") << "none of its recordings";
  model.training.recordings = {table.clips[static_cast<std::size_t>(tested)].content};
  EXPECT_THAT(why("random:4"), HasSubstr("recordings that the model was trained on"));
  model.training.split = "speakers:2";
  EXPECT_THAT(why("speakers:2"), HasSubstr("2 of its 2 speakers are among those"));
}

TEST(Evaluate, AFoldOfRecordingsTrainedOnIsNotLeftOut) {
  FeatureTable table = synthetic_table(4, 2);
  for (std::size_t i = 0; i < table.size(); ++i) table.clips[i].content = fmt::format("{:02}", i);
  Model model;
  model.training = {7, "{}", "speakers:4", 3, {"another:01"}, {table.clips.back().content}};
  const SplitScheme scheme = parse_split_scheme("speakers:4");
  EXPECT_EQ(not_left_out(model, table.clips, make_folds(table.clips, scheme, 7)[3], scheme, 3, 7),
            "fold 3 of speakers:4: 1 of its 8 clips are recordings that the model was trained on");
}

TEST(Evaluate, SpeakersAreKnownByCorpusAndName) {
  Model model;
  const auto known = [&](std::vector<std::string> speakers) {
    return trained_on(model, {}, {{}, {}, std::move(speakers)}).speakers;
  };
  model.training.speakers = {"ravdess:03", "ravdess:04"};
  EXPECT_EQ(known({"emodb:03", "ravdess:03", "ravdess:05"}), 1);
  model.training.speakers = {"03", "04"};  // of an older file
  EXPECT_EQ(known({"03", "emodb:03", "ravdess:05"}), 2);
}

TEST(Evaluate, ClipsOfOtherSpeakersAreKnownByTheirSound) {
  std::vector<Utterance> clips(5);
  clips[0].content = clips[1].content = clips[2].content = "a0";
  clips[1].speaker = clips[4].speaker = "anna";
  clips[1].corpus = clips[4].corpus = "mine";
  clips[2].speaker = "03";
  clips[2].corpus = "ravdess";
  clips[3].content = "b0";
  Model model;
  model.training.speakers = {"ravdess:03"};
  model.training.recordings = {"a0", "c0"};
  const TrainedOn known =
      trained_on(model, clips, {{}, {0, 1, 2, 3, 4}, {"mine:anna", "ravdess:03"}});
  EXPECT_EQ(known.speakers, 1);
  EXPECT_EQ(known.clips, 2) << "one of nobody, one of another speaker";
  EXPECT_FALSE(known.untold);
  EXPECT_TRUE(trained_on({}, clips, {{}, {0}, {}}).untold);
  Model of_unnamed;
  of_unnamed.training.recordings = {"c0"};
  EXPECT_TRUE(trained_on(of_unnamed, clips, {{}, {0}, {}}).untold) << "it may know the voice";
  EXPECT_FALSE(trained_on(of_unnamed, clips, {{}, {0}, {}}, "random:2").untold);
  const TrainedOn of_random =
      trained_on(model, clips, {{}, {0, 1, 2, 3, 4}, {"mine:anna", "ravdess:03"}}, "random:2");
  EXPECT_EQ(of_random.speakers, 0) << "such folds share speakers";
  EXPECT_EQ(of_random.clips, 3) << "whoever speaks";
}

TEST(Evaluate, ClipsWithoutAnEmotionAreRefused) {
  FeatureTable table = synthetic_table(4, 2);
  const Model model = train({table, {0, 1, 2, 3, 4, 5, 6, 7}, {}}, small_recipe(false), {1, 0, 1});
  table.clips[1].emotion.clear();
  EXPECT_ERROR(evaluate(model, {&table}, {0, 1}, 1), HasSubstr("scoring needs labels"));
  table.clips[1].emotion = "bored";
  EXPECT_ERROR(evaluate(model, {&table}, {0, 1}, 1), HasSubstr("'bored' is none of the model's"));
}

/// Answers of `model` for `clips` that are not uncertain from `certainty.sure.from` on, and those
/// of them that are right.
void expect_counts_of(const Certainty& certainty, const Model& model, const FeatureTable& table,
                      const std::vector<int>& clips) {
  std::int64_t kept = 0, right = 0;
  for (const Prediction& said : evaluate(model, {&table}, clips, 1)) {
    const auto surest = std::max_element(said.probabilities.begin(), said.probabilities.end());
    if (*surest < certainty.sure.from) continue;
    ++kept;
    if (model.emotions[surest - said.probabilities.begin()] == said.emotion) ++right;
  }
  EXPECT_EQ(certainty.sure.kept, kept);
  EXPECT_EQ(certainty.sure.right, right);
  EXPECT_EQ(certainty.clips, clips.size());
}

TEST(Certainty, IsChosenOnValidationSpeakers) {
  const FeatureTable table = synthetic_table(16, 4, 0, 4);
  const Recipe recipe = small_recipe(true);
  const RunOptions run{3, kWholeCorpus, 1};
  const TrainingData data =
      training_data(table, whole_corpus(table.clips).train, recipe, run.seed, run.stream);
  ASSERT_FALSE(data.validation.empty());
  const Model model = train(data, recipe, run);
  std::int64_t kept = 0;
  for (const double risk : {0.05, 0.2, 0.4}) {
    const Certainty certainty = choose_certainty(data, recipe, model, run, risk);
    EXPECT_LE(certainty.sure.risk(), risk);
    EXPECT_GE(certainty.sure.kept, kept) << "more risk, more answers";
    kept = certainty.sure.kept;
    EXPECT_EQ(certainty.speakers, 2u);
    expect_counts_of(certainty, model, table, data.validation);
  }
  EXPECT_GT(kept, 0);
}

TEST(Certainty, WithoutValidationIsChosenOnSpeakersHeldOutOfATrainingOfItsOwn) {
  const FeatureTable table = synthetic_table(8, 4, 0, 3);
  const Recipe recipe = small_recipe(false);
  RunOptions run{3, kWholeCorpus, 1};
  const std::vector<int> all = whole_corpus(table.clips).train;
  const TempFolder folder;
  run.checkpoint = folder.path() / "checkpoint";  // that of the model's own training: left alone
  const Certainty certainty = choose_certainty({table, all, {}}, recipe, Model(), run, 0.3);
  EXPECT_FALSE(std::filesystem::exists(run.checkpoint));
  const ValidationSplit split = hold_out_validation(table.clips, all, run.seed, run.stream);
  EXPECT_EQ(certainty.speakers, 1u);
  EXPECT_GT(certainty.sure.kept, 0);
  run.checkpoint.clear();
  expect_counts_of(certainty, train({table, split.train, {}}, recipe, run), table,
                   split.validation);
}

TEST(Certainty, CountsAClassThatHeldOutSpeakersAloneHaveAsMissed) {
  FeatureTable table = synthetic_table(8, 2);
  const RunOptions run{3, kWholeCorpus, 1};
  const std::vector<int> all = whole_corpus(table.clips).train;
  for (const int clip : hold_out_validation(table.clips, all, run.seed, run.stream).validation)
    if (table.clips[clip].emotion == "sad") table.clips[clip].emotion = "bored";
  const Certainty certainty =
      choose_certainty({table, all, {}}, small_recipe(false), Model(), run, 0.999);
  EXPECT_EQ(certainty.clips, 8u);
  EXPECT_LE(certainty.sure.right, 6);
}

TEST(Certainty, NeedsSpeakersToHoldOut) {
  const FeatureTable table = synthetic_table(3, 2);
  EXPECT_ERROR(choose_certainty({table, whole_corpus(table.clips).train, {}}, small_recipe(false),
                                Model(), {1, kWholeCorpus, 1}),
               HasSubstr("at least four training speakers"));
}

TEST(CrossValidation, GoesOnFromTheFoldsThatAreDone) {
  const FeatureTable table = synthetic_table(9, 3);
  const SplitScheme scheme = parse_split_scheme("speakers:3");
  const Recipe recipe = small_recipe(false);
  const TempFolder folder;
  const auto validate = [&](const KeepFolds& keep, const FoldObserver& observer = {},
                            Team& team = alone(), std::uint64_t seed = 5) {
    return cross_validate(table, scheme, recipe, seed, 1, observer, {0}, team, keep);
  };
  const CrossValidation whole = validate({});
  const FoldObserver end_in_last = [](int fold, const EpochReport&) {
    if (fold == 2) throw Error("ended");
  };
  EXPECT_ERROR(validate({folder / "done"}, end_in_last), HasSubstr("ended"));
  const KeepFolds resume{folder / "done", true};
  EXPECT_ERROR(validate(resume, {}, alone(), 6),
               HasSubstr("fold-0.json: expected a fold of the same recipe, split, seed and data"));
  const FoldObserver last_alone = [](int fold, const EpochReport&) { EXPECT_EQ(fold, 2); };
  run_as_team(2, [&](Team& team) {
    const CrossValidation done = validate(resume, last_alone, team);
    EXPECT_EQ(result_json(done.result), result_json(whole.result));
    ASSERT_EQ(done.curves.size(), whole.curves.size());
    for (std::size_t i = 0; i < done.curves.size(); ++i) {
      EXPECT_EQ(done.curves[i].fold, whole.curves[i].fold);
      EXPECT_EQ(done.curves[i].epochs.back().loss, whole.curves[i].epochs.back().loss);
    }
  });
  folder.add("done/fold-1.json", "{}");
  EXPECT_ERROR(validate(resume), HasSubstr("fold-1.json: is there and is no fold that was kept"));
}

TEST(Evaluate, ClipsOfTwoCorporaWithOnePathAreToldApart) {
  FeatureTable table = synthetic_table(4, 1);
  const Model model = train({table, {0, 1, 2, 3, 4, 5, 6, 7}, {}}, small_recipe(false), {1, 0, 1});
  for (Utterance& clip : table.clips) clip.speaker.clear();
  for (const std::size_t i : {6u, 7u}) table.clips[i].path = "same.wav";
  table.clips[7].corpus = "other";
  const std::vector<Prediction> predictions = evaluate(model, {&table}, {5, 6, 7}, 1);
  EXPECT_EQ(predictions[0].file, table.clips[5].path);
  EXPECT_EQ(predictions[1].file, "synthetic/same.wav");
  EXPECT_EQ(predictions[2].file, "other/same.wav");
}

TEST(Evaluate, ClipsOfClassesThatTheModelDoesNotHaveAreLeftOut) {
  std::vector<Utterance> clips = synthetic_table(2, 1).clips;
  Model model;
  model.emotions = {"neutral", "happy", "sad", "angry"};
  Fold fold = whole_corpus(clips);
  const std::size_t all = fold.test.size();
  EXPECT_EQ(leave_out_unknown_classes(model, clips, fold), "");
  EXPECT_EQ(fold.test.size(), all);
  clips[0].emotion = clips[3].emotion = "bored";
  clips[1].emotion = "calm";
  EXPECT_EQ(leave_out_unknown_classes(model, clips, fold),
            "3 clips of classes that the model does not have are left out: calm, bored");
  EXPECT_EQ(fold.test.size(), all - 3);
  EXPECT_THAT(fold.test, testing::Not(testing::Contains(testing::AnyOf(0, 1, 3))));
  for (Utterance& clip : clips) clip.emotion = "bored";
  fold = whole_corpus(clips);
  EXPECT_ERROR(leave_out_unknown_classes(model, clips, fold),
               HasSubstr("expected clips of neutral, happy, sad, angry, found bored alone"));
}

TEST(Evaluate, AnotherFeatureFileMustHoldTheClips) {
  const FeatureTable table = synthetic_table(4, 2);
  const Model model = train({table, {0, 1, 2, 3, 4, 5, 6, 7}, {}}, small_recipe(false), {1, 0, 1});
  FeatureTable other = synthetic_table(4, 2);
  other.clips[1].path = "other.wav";
  EXPECT_ERROR(evaluate(model, {&table, &other}, {0, 1}, 1),
               AllOf(HasSubstr(table.clips[1].path), HasSubstr("in every feature file")));
}

}  // namespace
}  // namespace ser
