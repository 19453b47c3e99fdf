#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/train_and_eval.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

TEST_F(TrainAndEval, ScriptedFoldsGiveTheBuiltInResult) {
  for (const std::string scheme : {"speakers:2", "random:3"}) {
    cross_validate("built-in.json", {"--cv", scheme});
    ASSERT_EQ(::setenv("SER_BIN_DIR", program_folder().c_str(), 1), 0);
    const Outcome scripted = run_path("/bin/bash", {(source_folder() / "scripts/kfold").string(),
                                                    features_, scheme, recipe_, file("kfold")});
    EXPECT_EQ(scripted.exit_code, 0) << scripted.err;
    EXPECT_THAT(scripted.out, HasSubstr("64 clips, " + scheme));
    EXPECT_EQ(text_of(file("kfold/results.json")), text_of(file("built-in.json"))) << scheme;
  }
}

TEST_F(TrainAndEval, MergeNamesTheFoldsThatAreMissing) {
  train("model.json", {"--cv", "speakers:4", "--fold", "1"});
  succeed("ser-eval", {features_, "--model", file("model.json"), "--cv", "speakers:4", "--fold",
                       "1", "-o", file("r1.json")});
  const Outcome merged = succeed("ser-eval", {"--merge", file("r1.json")});
  EXPECT_THAT(merged.err, HasSubstr("folds 0, 2, 3 are missing"));
  const Outcome twice = run("ser-eval", {"--merge", file("r1.json"), file("r1.json")});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_THAT(twice.err, HasSubstr("expected different clips"));
}

TEST_F(TrainAndEval, ResultsHaveTheirKeys) {
  cross_validate("result.json", {"--cv", "speakers:2"});
  const Json result = Json::parse(text_of(file("result.json")));
  for (const char* key : {"n", "accuracy", "uar", "macro_f1", "gender_accuracy", "ece", "ci95",
                          "labels", "confusion", "per_class", "per_speaker", "folds", "predictions",
                          "recipe", "seed", "fingerprint", "split"})
    EXPECT_TRUE(result.contains(key)) << key;
  EXPECT_THAT(result["ci95"]["uar"], SizeIs(2));
  EXPECT_THAT(result["folds"], SizeIs(2));
  EXPECT_THAT(result["predictions"], SizeIs(64));
  for (const char* key : {"file", "speaker", "emotion", "gender", "predicted_emotion",
                          "predicted_gender", "probabilities", "gender_probabilities"})
    EXPECT_TRUE(result["predictions"][0].contains(key)) << key;
}

TEST_F(TrainAndEval, WhereNoAnswerIsSureItSaysSo) {
  cross_validate("result.json", {"--cv", "speakers:2"});
  Json result = Json::parse(text_of(file("result.json")));
  for (Json& answer : result["predictions"])
    answer["emotion"] = answer["predicted_emotion"] == "happy" ? "sad" : "happy";
  const std::string wrong = folder_.add("wrong.json", result.dump()).string();
  EXPECT_THAT(succeed("ser-eval", {"--merge", wrong}).out,
              HasSubstr("sure answers                none     at no threshold are 80 % right"));
}

TEST_F(TrainAndEval, RandomFoldsWarnThatSpeakersLeak) {
  const Outcome scored = cross_validate("result.json", {"--cv", "random:2"});
  EXPECT_THAT(scored.err, HasSubstr("warning: random:2: speakers leak"));
  EXPECT_THAT(scored.out, AllOf(StartsWith("64 clips, random:2\n"), Not(HasSubstr("warning"))));
}

TEST_F(TrainAndEval, ScoringKnownSpeakersWarns) {
  train("model.json");
  const Outcome scored =
      succeed("ser-eval", {features_, "--model", file("model.json"), "-o", file("known.json")});
  EXPECT_THAT(scored.err,
              HasSubstr("4 of 4 scored speakers were among the model's training speakers"));
  cross_validate("new.json", {"--cv", "speakers:2"});
  const Outcome compared = succeed("ser-eval", {"--compare", file("new.json"), file("known.json")});
  EXPECT_THAT(compared.err, AllOf(HasSubstr("known.json: 4 of 4 scored speakers were among"),
                                  Not(HasSubstr("new.json"))));
}

TEST_F(TrainAndEval, ScoringRecordingsTrainedOnWarnsWhoeverSpeaks) {
  const std::string named = extract_manifest(
      "path,emotion,speaker\n1.flac,happy,anna\n2.flac,sad,anna\n3.flac,happy,carl\n"
      "4.flac,sad,carl\n");
  succeed("ser-train", {named, "--recipe", recipe_, "-o", file("model.json")});
  const std::string nobody =
      folder_.add("nobody.csv", "path,emotion\n1.flac,happy\n2.flac,sad\n").string();
  succeed("ser-extract", {nobody, "--features", "classic", "-o", file("nobody")});
  for (const char* result : {"a.json", "b.json"})
    EXPECT_THAT(
        succeed("ser-eval", {file("nobody"), "--model", file("model.json"), "-o", file(result)})
            .err,
        HasSubstr("2 of 2 scored clips are recordings that the model was trained on"));
  const Outcome pooled = succeed(
      "ser-eval", {"--average", file("a.json"), file("b.json"), "--report", file("page.html")});
  EXPECT_THAT(pooled.err, HasSubstr("2 of 2 scored clips are recordings"));
  EXPECT_THAT(text_of(file("page.html")),
              HasSubstr("2 of 2 scored clips are recordings that the model was trained on: the "
                        "scores flatter."));
}

TEST_F(TrainAndEval, AClassWithoutClipsHasNoRecall) {
  train("model.json");
  const std::string some = extract_manifest("path,emotion\n1.flac,neutral\n3.flac,happy\n");
  const std::string page = file("page.html");
  EXPECT_THAT(succeed("ser-eval", {some, "--model", file("model.json"), "--report", page}).out,
              ::testing::ContainsRegex("angry +[0-9.]+ % +- +0 "));
  EXPECT_THAT(text_of(page), testing::Not(HasSubstr("<small>0 of 0")));
}

TEST_F(TrainAndEval, ComparesTwoResults) {
  cross_validate("a.json", {"--cv", "speakers:2"});
  cross_validate("b.json", {"--cv", "random:2", "-q"});
  for (int run = 0; run < 2; ++run)  // what it has written it may replace
    succeed("ser-eval", {"--compare", file("a.json"), file("b.json"), "-o", file("c.json")});
  const Json figures = Json::parse(text_of(file("c.json")));
  EXPECT_EQ(figures["uar"].size(), 2u);
  EXPECT_EQ(figures["uar_difference"],
            figures["uar"][1].get<double>() - figures["uar"][0].get<double>());
  EXPECT_GT(figures["sign_flip_p"], 0);
  const Outcome compared = succeed("ser-eval", {"--compare", file("a.json"), file("b.json")});
  EXPECT_THAT(compared.out,
              AllOf(StartsWith("64 clips\n"), HasSubstr("sign flips over 4 speakers: p = "),
                    HasSubstr("95 % interval")));
  EXPECT_THAT(compared.err,
              HasSubstr("A is scored on folds of speakers:2, B on those of random:2"));
  const Outcome one = run("ser-eval", {"--compare", file("a.json")});
  EXPECT_EQ(one.exit_code, 2);
  const Outcome missing = run("ser-eval", {"--compare", file("a.json"), file("none.json")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(lines_of(missing.err), ElementsAre(HasSubstr("none.json: opening failed")));
}

TEST_F(TrainAndEval, AnEnsembleScoresAsTheAverageOfItsModels) {
  // Two models that read different features.
  const std::string other = file("other.safetensors");
  succeed("ser-extract", {demo_actor(1), demo_actor(2), demo_actor(3), demo_actor(4), "--features",
                          "mfcc", "--pool", "mean", "-o", other, "-q"});
  train("a.json", {"--cv", "speakers:2", "--fold", "0"});
  succeed("ser-train",
          {other, "--recipe", recipe_, "-o", file("b.json"), "--cv", "speakers:2", "--fold", "0"});
  succeed("ser-train", {"--combine", file("a.json"), file("b.json"), "--temperature", "0.7",
                        "--heard-temperature", "0.5", "-o", file("ensemble.json")});
  EXPECT_EQ(
      Json::parse(text_of(file("ensemble.json")))["members"][1]["listening"]["heard_temperature"],
      0.5);
  const auto score = [&](std::vector<std::string> features, const std::string& name) {
    features.insert(features.end(), {"--model", file(name + ".json"), "--cv", "speakers:2",
                                     "--fold", "0", "-o", file(name + ".result")});
    succeed("ser-eval", features);
  };
  score({features_}, "a");
  score({other}, "b");
  score({other, features_}, "ensemble");
  succeed("ser-eval", {"--average", file("a.result"), file("b.result"), "--temperature", "0.7",
                       "-o", file("average.result")});
  const Json pooled = Json::parse(text_of(file("ensemble.result"))),
             averaged = Json::parse(text_of(file("average.result")));
  EXPECT_NEAR(pooled["ece"], averaged["ece"], 1e-4);
  EXPECT_EQ(pooled["confusion"], averaged["confusion"]);
  const Outcome predicted =
      succeed("ser-predict", {"--model", file("ensemble.json"), "--json", demo_clip(3)});
  EXPECT_EQ(Json::parse(predicted.out)["probabilities"].size(), 8u);
  const Outcome refused = run("ser-eval", {features_, "--model", file("ensemble.json")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("the model was trained on features"));
}

TEST_F(TrainAndEval, SpeakersOfSeveralCorporaAreNamedWithTheirs) {
  const std::string features = extract_manifest(
      "path,emotion,speaker,corpus\n1.flac,happy,1,red\n2.flac,sad,1,red\n"
      "3.flac,happy,1,blue\n4.flac,sad,1,blue\n");
  succeed("ser-train", {features, "--recipe", recipe_, "-o", file("model.json")});
  EXPECT_EQ(Json::parse(text_of(file("model.json")))["training"]["speakers"],
            Json({"blue:01", "red:01"}));
  succeed("ser-eval", {features, "--train", recipe_, "--cv", "loso", "-o", file("r.json")});
  const Json result = Json::parse(text_of(file("r.json")));
  EXPECT_EQ(result["predictions"][0]["speaker"], "blue:01");
  EXPECT_EQ(result["folds"][0]["test_speakers"], Json({"blue:01"}));
}

TEST_F(TrainAndEval, AFoldOfSeveralCorporaIsScoredByTheModelThatLeftItOut) {
  const std::string red = extract_manifest(
      "path,emotion,speaker,corpus\n1.flac,happy,1,red\n2.flac,sad,1,red\n"
      "3.flac,happy,2,red\n4.flac,sad,2,red\n");
  const std::string list = folder_
                               .add("blue.csv",
                                    "path,emotion,speaker,corpus\n"
                                    "1.flac,happy,1,blue\n2.flac,sad,1,blue\n"
                                    "3.flac,happy,2,blue\n4.flac,sad,2,blue\n")
                               .string();
  const std::string blue = file("blue.safetensors");
  succeed("ser-extract", {list, "--features", "classic", "-o", blue});
  const std::vector<std::string> fold = {"--cv", "speakers:2", "--fold", "1"};
  const auto with_fold = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), fold.begin(), fold.end());
    return arguments;
  };
  succeed("ser-train", with_fold({red, blue, "--recipe", recipe_, "-o", file("model.json")}));
  const Outcome scored = succeed(
      "ser-eval", with_fold({red, blue, "--model", file("model.json"), "-o", file("fold.json")}));
  EXPECT_THAT(scored.err, Not(HasSubstr("training speakers")));
  succeed("ser-eval",
          {red, blue, "--train", recipe_, "--cv", "speakers:2", "-o", file("all.json")});
  const Json all = Json::parse(text_of(file("all.json")));
  Json built_in = Json::array();
  for (const Json& prediction : all["predictions"])
    if (prediction["speaker"].get<std::string>().ends_with(":02")) built_in.push_back(prediction);
  EXPECT_THAT(built_in, SizeIs(4));
  EXPECT_EQ(Json::parse(text_of(file("fold.json")))["predictions"], built_in);

  const Outcome flattered = succeed("ser-eval", {red, blue, "--model", file("model.json")});
  EXPECT_THAT(flattered.err, HasSubstr("2 of 4 scored speakers were among the model's training "
                                       "speakers: the score flatters; --cv speakers:2 --fold 1 "
                                       "are those that it left out"));
}

TEST_F(TrainAndEval, AMatrixOfCorporaTellsWhatTravels) {
  std::string list = "path,emotion,speaker,corpus\n";
  for (int actor = 1; actor <= 4; ++actor) {
    int clip = 0;
    for (const auto& entry : std::filesystem::directory_iterator(demo_actor(actor)))
      list += fmt::format("{},{},{},{}\n", entry.path().string(), clip++ % 2 ? "sad" : "happy",
                          actor, actor <= 2 ? "red" : "blue");
  }
  const std::string manifest = folder_.add("corpora.csv", list).string();
  succeed("ser-extract", {manifest, "--features", "classic", "-o", file("both")});
  const Outcome crossed = succeed("ser-eval", {file("both"), "--train", recipe_, "--cv", "corpora",
                                               "--matrix", "-o", file("matrix.json")});
  EXPECT_THAT(crossed.out, HasSubstr("UAR, trained on           blue           red   scored"));
  const Json matrix = Json::parse(text_of(file("matrix.json")))["matrix"];
  ASSERT_THAT(matrix, SizeIs(2));
  EXPECT_EQ(matrix[1]["trained_on"], Json({"red"}));
  EXPECT_EQ(matrix[1]["corpus"], "blue");
  EXPECT_EQ(matrix[1]["n"], 32);
}

TEST_F(TrainAndEval, ClassesThatCorporaDoNotShareAreMaskedAndNamed) {
  std::string list = "path,emotion,speaker,corpus\n";
  for (const std::string clip :
       {"3,happy,1,red", "4,sad,1,red", "5,angry,1,red", "1,happy,2,blue", "2,sad,2,blue"})
    list += demo_clip(clip[0] - '0') + clip.substr(1) + "\n";
  const std::string manifest = folder_.add("corpora.csv", list).string();
  succeed("ser-extract", {manifest, "--features", "classic", "-o", file("both")});
  const Outcome done = succeed(
      "ser-eval", {file("both"), "--train", recipe_, "--cv", "corpora", "-o", file("r.json")});
  EXPECT_THAT(done.out, HasSubstr("classes not in common, masked: angry (fold 0); angry (fold 1)"));
  const Json result = Json::parse(text_of(file("r.json")));
  EXPECT_EQ(result["folds"][1]["masked"], Json({"angry"}));
}

}  // namespace
}  // namespace ser
