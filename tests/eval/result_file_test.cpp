#include "ser/eval/result_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/predictions.h"
#include "ser/core/atomic_file.h"
#include "ser/eval/evaluate.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using json = nlohmann::ordered_json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kLabels = {"happy", "sad", "angry"};
const ResultInfo kInfo = {kLabels, "speakers:3", R"({ "epochs": 5, "rate": 1e-3 })", "feed", 7};

std::string changed(const std::string& text, const std::function<void(json&)>& change) {
  json object = json::parse(text);
  change(object);
  return object.dump();
}

TEST(ResultFile, ScoresEachCorpusWhereThereAreSeveral) {
  std::vector<FoldPredictions> folds = random_folds(kLabels, 2, 8, 1);
  EXPECT_TRUE(json::parse(result_json(make_result(kInfo, folds)))["per_corpus"].empty());
  for (FoldPredictions& fold : folds)
    for (Prediction& p : fold.predictions) p.speaker = fmt::format("corpus{}:01", fold.fold);
  const json figures = json::parse(result_json(make_result(kInfo, folds)));
  ASSERT_EQ(figures["per_corpus"].size(), 2u);
  for (int k = 0; k < 2; ++k) {
    const json& corpus = figures["per_corpus"][k];
    EXPECT_EQ(corpus["corpus"], fmt::format("corpus{}", k));
    EXPECT_EQ(corpus["n"], figures["folds"][k]["n"]);
    EXPECT_EQ(corpus["uar"], figures["folds"][k]["uar"]);
  }
}

TEST(ResultFile, SaysWhichAnswersAreSure) {
  const ResultFile result = make_result(kInfo, random_folds(kLabels, 3, 8, 1));
  const json certainty = json::parse(result_json(result))["certainty"];
  EXPECT_EQ(certainty["risk"], 0.2);
  const double from = certainty["uncertain_below"];
  std::int64_t kept = 0, right = 0;
  for (const Prediction& p : result.predictions) {
    const std::size_t said = most_likely(p.probabilities);
    if (p.probabilities[said] < from) continue;
    ++kept;
    right += kLabels[said] == p.emotion ? 1 : 0;
  }
  EXPECT_EQ(certainty["kept"], kept);
  EXPECT_EQ(certainty["right"], right);
}

TEST(ResultFile, HasTheKeysOfTheDesign) {
  const json result = json::parse(result_json(make_result(kInfo, random_folds(kLabels, 3, 8, 1))));
  std::vector<std::string> keys;
  for (const auto& [key, value] : result.items()) keys.push_back(key);
  EXPECT_THAT(
      keys, testing::UnorderedElementsAre(
                "n", "accuracy", "uar", "macro_f1", "gender_accuracy", "ece", "best_temperature",
                "ci95", "per_corpus", "certainty", "heard", "heard_scores", "other_fold", "labels",
                "confusion", "per_class", "per_speaker", "folds", "predictions", "recipe", "seed",
                "fingerprint", "split"));
  EXPECT_EQ(result["ci95"]["uar"].size(), 2u);
  EXPECT_EQ(result["recipe"]["epochs"], 5);
  const json& prediction = result["predictions"][0];
  keys.clear();
  for (const auto& [key, value] : prediction.items()) keys.push_back(key);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("file", "speaker", "emotion", "gender",
                                                  "predicted_emotion", "predicted_gender",
                                                  "probabilities", "gender_probabilities"));
  EXPECT_EQ(prediction["probabilities"].size(), 3u);
  EXPECT_EQ(result["folds"][2]["test_speakers"], json::array({"5", "6"}));
}

TEST(ResultFile, WhatIsUnknownIsNull) {
  auto folds = random_folds(kLabels, 1, 4, 1);
  for (Prediction& p : folds[0].predictions) p.speaker = p.gender = "";
  for (Prediction& p : folds[0].predictions) p.gender_probabilities.clear();
  const json result = json::parse(result_json(make_result({kLabels, "", "", "", 0}, folds)));
  EXPECT_TRUE(result["gender_accuracy"].is_null());
  EXPECT_TRUE(result["recipe"].is_null());
  EXPECT_TRUE(result["predictions"][0]["gender"].is_null());
  EXPECT_TRUE(result["predictions"][0]["predicted_gender"].is_null());
  EXPECT_TRUE(result["per_speaker"].empty());
}

TEST(ResultFile, FewSpeakersHaveNoInterval) {
  const auto two = random_folds(kLabels, 1, 8, 1);
  EXPECT_TRUE(json::parse(result_json(make_result(kInfo, two)))["ci95"].is_null());
}

TEST(ResultFile, ReadsBackToTheSameBytes) {
  const TempFolder folder;
  const ResultFile result = make_result(kInfo, random_folds(kLabels, 3, 8, 1));
  write_result(folder / "r.json", result);
  EXPECT_EQ(result_json(read_result(folder / "r.json")), result_json(result));
}

TEST(ResultFile, ProbabilitiesMayComeInAnyOrder) {
  const TempFolder folder;
  const std::string text = result_json(make_result(kInfo, random_folds(kLabels, 3, 8, 1)));
  write_file(folder / "r.json", changed(text, [](json& object) {
               for (json& clip : object["predictions"])
                 clip["probabilities"] = {{"angry", clip["probabilities"]["angry"]},
                                          {"happy", clip["probabilities"]["happy"]},
                                          {"sad", clip["probabilities"]["sad"]}};
             }));
  EXPECT_EQ(result_json(read_result(folder / "r.json")), text);
}

TEST(ResultFile, MergedFoldsGiveTheFiguresOfFoldsScoredTogether) {
  const TempFolder folder;
  const auto folds = random_folds(kLabels, 3, 8, 1);
  std::vector<ResultFile> parts;
  for (const int fold : {2, 0, 1}) {
    const auto path = folder / std::to_string(fold);
    write_result(path, make_result(kInfo, {folds[static_cast<std::size_t>(fold)]}));
    parts.push_back(read_result(path));
  }
  const ResultFile merged = merge_results(parts, {"r2", "r0", "r1"});
  EXPECT_EQ(result_json(merged), result_json(make_result(kInfo, folds)));
  EXPECT_THAT(missing_folds(merged), testing::IsEmpty());
  EXPECT_THAT(missing_folds(parts[1]), ElementsAre(1, 2));
  ResultFile last = parts[0];  // of a split whose folds are as many as its speakers
  last.info.split = "loso";
  EXPECT_THAT(missing_folds(last), ElementsAre(0, 1));
  const ResultFile two = merge_results({parts[0], parts[1]}, {"r2", "r0"});
  EXPECT_EQ(result_json(merge_results({two, parts[2]}, {"two", "r1"})), result_json(merged));
}

TEST(ResultFile, OnlyResultsOfOneKindAreMerged) {
  const auto folds = random_folds(kLabels, 3, 4, 1);
  const ResultFile first = make_result(kInfo, {folds[0]});
  const auto merge_with = [&](ResultInfo info, int fold) {
    return merge_results({first, make_result(info, {folds[static_cast<std::size_t>(fold)]})},
                         {"x.json", "y.json"});
  };
  EXPECT_NO_THROW(merge_with(kInfo, 1));
  EXPECT_ERROR(merge_with(kInfo, 0), AllOf(HasSubstr("x.json and y.json"), HasSubstr("1/0.wav")));
  const auto others = random_folds(kLabels, 7, 4, 2);  // the same fold of another table
  FoldPredictions twin = others[6];
  twin.fold = folds[0].fold;
  EXPECT_ERROR(merge_results({first, make_result(kInfo, {twin})}, {"x.json", "y.json"}),
               HasSubstr("x.json and y.json: expected different folds, found fold 0 in both"));
  ResultInfo other = kInfo;
  other.split = "loso";
  EXPECT_ERROR(merge_with(other, 1), HasSubstr("same split, found speakers:3 and loso"));
  other = kInfo;
  other.fingerprint = "beef";
  EXPECT_ERROR(merge_with(other, 1), HasSubstr("same features, found feed and beef"));
  other = kInfo;
  other.recipe = "{}";
  EXPECT_ERROR(merge_with(other, 1), HasSubstr("same recipe"));
  other = kInfo;
  other.seed = 8;
  EXPECT_ERROR(merge_with(other, 1), HasSubstr("same seed, found 7 and 8"));
  other = kInfo;
  std::swap(other.labels[0], other.labels[1]);
  EXPECT_ERROR(merge_with(other, 1), HasSubstr("same labels"));
  EXPECT_ERROR(merge_results({}, {}), HasSubstr("found none"));
}

/// The folds after hearing more: the same clips, the truth a little surer.
std::vector<FoldPredictions> surer(std::vector<FoldPredictions> folds) {
  for (FoldPredictions& fold : folds)
    for (Prediction& p : fold.predictions)
      for (std::size_t i = 0; i < kLabels.size(); ++i)
        p.probabilities[i] = 0.7 * p.probabilities[i] + 0.3 * (kLabels[i] == p.emotion);
  return folds;
}

ResultFile heard(const std::vector<FoldPredictions>& folds) {
  ResultInfo more = kInfo;
  more.heard = 4;
  return with_more_heard({make_result(kInfo, folds), make_result(more, surer(folds))});
}

TEST(ResultFile, HoldsTheScoresOfEveryNumberOfClipsHeard) {
  const TempFolder folder;
  const auto folds = random_folds(kLabels, 3, 8, 1);
  const ResultFile result = heard(folds);
  write_result(folder / "r.json", result);
  EXPECT_EQ(result_json(read_result(folder / "r.json")), result_json(result));
  const json figures = json::parse(result_json(result));
  EXPECT_EQ(figures["heard"], 0);
  ASSERT_EQ(figures["heard_scores"].size(), 2u);
  EXPECT_EQ(figures["heard_scores"][0]["uar"], figures["uar"]);
  EXPECT_EQ(figures["heard_scores"][1]["heard"], 4);
  EXPECT_GT(figures["heard_scores"][1]["uar"], figures["uar"]);
  EXPECT_EQ(figures["heard_scores"][1]["ci95"]["uar"].size(), 2u);
  EXPECT_TRUE(json::parse(result_json(make_result(kInfo, folds)))["heard_scores"].empty());
}

TEST(ResultFile, AllHeardIsAWord) {
  const TempFolder folder;
  ResultInfo info = kInfo;
  info.heard = kAllHeard;
  const ResultFile result = make_result(info, random_folds(kLabels, 2, 4, 1));
  const json figures = json::parse(result_json(result));
  EXPECT_EQ(figures["heard"], "all");
  EXPECT_EQ(figures["heard_scores"].size(), 1u);
  write_result(folder / "r.json", result);
  EXPECT_EQ(read_result(folder / "r.json").info.heard, kAllHeard);
}

TEST(ResultFile, OnlyEquallyHeardIsMerged) {
  const auto folds = random_folds(kLabels, 3, 8, 1);
  const std::vector<ResultFile> parts = {heard({folds[0]}), heard({folds[1]}), heard({folds[2]})};
  EXPECT_EQ(result_json(merge_results(parts, {"a", "b", "c"})), result_json(heard(folds)));
  EXPECT_ERROR(merge_results({parts[0], make_result(kInfo, {folds[1]})}, {"a", "b"}),
               AllOf(HasSubstr("a and b"), HasSubstr("clips heard, found 0,4 and 0")));
}

TEST(ResultFile, FoldsThatAModelDidNotLeaveOutAreNotMixedWithOthers) {
  const TempFolder folder;
  const auto folds = random_folds(kLabels, 3, 4, 1);
  ResultInfo other = kInfo;
  other.other_fold = true;
  const ResultFile own = make_result(kInfo, {folds[0]}), marked = make_result(other, {folds[1]});
  write_result(folder / "r.json", marked);
  EXPECT_TRUE(read_result(folder / "r.json").info.other_fold);
  EXPECT_ERROR(merge_results({own, marked}, {"a", "b"}),
               HasSubstr("a and b: expected the same rule of folds"));
  EXPECT_TRUE(merge_results({marked, make_result(other, {folds[2]})}, {"b", "c"}).info.other_fold);
}

TEST(ResultFile, TellsWhatTheModelsWereTrainedOn) {
  auto folds = random_folds(kLabels, 2, 4, 1);
  const ResultFile apart = make_result(kInfo, {folds[0]});
  EXPECT_EQ(describe_trained_on(apart), "");
  folds[1].trained_on = {1, 0};
  const ResultFile speaker = make_result(kInfo, {folds[1]});
  EXPECT_EQ(describe_trained_on(merge_results({apart, speaker}, {"a", "b"})),
            "1 of 4 scored speakers was among the model's training speakers");
  folds[1].trained_on = {1, 3};
  const TempFolder folder;
  write_result(folder / "r.json", make_result(kInfo, folds));
  EXPECT_EQ(describe_trained_on(read_result(folder / "r.json")),
            "1 of 4 scored speakers was among the model's training speakers; 3 of 16 scored "
            "clips, of other speakers, are recordings that the model was trained on");
  folds[1].trained_on = {0, 0, true};
  write_result(
      folder / "r.json",
      merge_results({make_result(kInfo, {folds[0]}), make_result(kInfo, {folds[1]})}, {"a", "b"}));
  EXPECT_EQ(describe_trained_on(read_result(folder / "r.json")),
            "the model does not say whom it was trained on, and may know these voices");
}

TEST(ResultFile, AClipIsTestedOnce) {
  auto folds = random_folds(kLabels, 2, 4, 1);
  folds[1].predictions[0].file = folds[0].predictions[2].file;
  folds[1].predictions[0].speaker = folds[0].predictions[2].speaker;
  EXPECT_ERROR(make_result(kInfo, folds), HasSubstr("found it in folds 0 and 1"));
}

TEST(ResultFile, KnowsTheCorpusOfClipsWithoutSpeakers) {
  std::vector<FoldPredictions> folds = random_folds(kLabels, 2, 8, 1);
  for (FoldPredictions& fold : folds)
    for (Prediction& p : fold.predictions) {
      p.speaker = "";
      p.corpus = fmt::format("corpus{}", fold.fold);
    }
  folds[1].predictions[0].speaker = "corpus1:01";
  const ResultFile result = make_result(kInfo, folds);
  const json figures = json::parse(result_json(result));
  EXPECT_EQ(figures["per_corpus"][0]["corpus"], "corpus0");
  EXPECT_EQ(figures["per_corpus"][1]["corpus"], "corpus1");
  const TempFolder folder;
  write_result(folder / "r.json", result);
  EXPECT_EQ(result_json(read_result(folder / "r.json")), result_json(result));
  EXPECT_EQ(describe_unheard(result), fmt::format(" (nothing before the {0} of {1} clips whose "
                                                  "speaker is unknown)",
                                                  result.scores.n - 1, result.scores.n));
}

TEST(ResultFile, NamesTheClassesThatCorporaDoNotShare) {
  std::vector<FoldPredictions> folds = random_folds(kLabels, 2, 8, 1);
  folds[0].predictions[0].emotion = "angry";
  for (Prediction& p : folds[1].predictions)
    if (p.emotion == "angry") p.emotion = "sad";
  ResultInfo info = kInfo;
  EXPECT_FALSE(json::parse(result_json(make_result(info, folds)))["folds"][1].contains("masked"));
  info.split = "corpora";
  const ResultFile result = make_result(info, folds);
  const json figures = json::parse(result_json(result));
  EXPECT_EQ(figures["folds"][0]["masked"], json::array());
  EXPECT_EQ(figures["folds"][1]["masked"], json::array({"angry"}));
  EXPECT_EQ(describe_masked(result), "angry (fold 1)");
}

TEST(ResultFile, CorporaMayNameTheirFilesAlike) {
  auto folds = random_folds(kLabels, 2, 3, 1);
  Prediction &one = folds[0].predictions[0], &other = folds[1].predictions[0];
  other.file = one.file;
  one.emotion = "happy";
  other.emotion = "sad";
  const ResultFile result = make_result(kInfo, folds);
  EXPECT_EQ(result.scores.n, 12);
  EXPECT_EQ(compare(result, result).only_a_right, 0);
  EXPECT_EQ(average_results({result, result}, {"a", "b"}, 1).scores.n, 12);
}

TEST(ResultFile, RefusesWhatIsNoResult) {
  const TempFolder folder;
  const std::string good = result_json(make_result(kInfo, random_folds(kLabels, 2, 2, 1)));
  const auto read = [&](const std::string& text) {
    return read_result(folder.add("r.json", text));
  };
  EXPECT_ERROR(read("{"), AllOf(HasSubstr("r.json"), HasSubstr("not valid JSON")));
  for (const char* other : {"[]", R"({"format": "ser-model"})"})
    EXPECT_ERROR(read(other), HasSubstr("expected a result file of ser-eval"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r.erase("folds"); })), HasSubstr("'folds'"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["seed"] = -1; })), HasSubstr("'seed'"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["heard"] = 1e10; })), HasSubstr("'heard'"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["heard"] = 5000000000; })),
               HasSubstr("'heard': expected a number of clips, or all"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["folds"][0]["n"] = 1000000000000; })),
               HasSubstr("more clips than predictions"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["folds"].erase(1); })),
               HasSubstr("fewer clips than predictions"));
  EXPECT_ERROR(
      read(changed(good, [](json& r) { r["predictions"][1]["probabilities"].erase("sad"); })),
      AllOf(HasSubstr("prediction 1"), HasSubstr("'sad'")));
  EXPECT_ERROR(
      read(changed(good, [](json& r) { r["predictions"][1]["probabilities"]["sad"] = 2; })),
      HasSubstr("[0, 1]"));
  EXPECT_ERROR(read(changed(good,
                            [](json& r) {
                              for (json& value : r["predictions"][1]["probabilities"]) value = 0.9;
                            })),
               HasSubstr("expected probabilities that sum to 1, found 2.7"));
  EXPECT_ERROR(read(changed(good,
                            [](json& r) {
                              r["labels"] = {"sad", "sad"};
                            })),
               HasSubstr("'labels': expected each class once"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["labels"] = {1}; })), HasSubstr("'labels'"));
  EXPECT_ERROR(read(changed(good, [](json& r) { r["predictions"][1]["corpus"] = 1; })),
               HasSubstr("'corpus'"));
  EXPECT_ERROR(read_result(folder / "none.json"), HasSubstr("opening failed"));
}

TEST(ResultFile, SurvivesTruncation) {
  const TempFolder folder;
  const std::string good = result_json(make_result(kInfo, random_folds(kLabels, 2, 2, 1)));
  for (std::size_t i = 0; i < 64; ++i)
    EXPECT_THROW(read_result(folder.add("r.json", good.substr(0, good.size() * i / 64))), Error);
}

}  // namespace
}  // namespace ser
