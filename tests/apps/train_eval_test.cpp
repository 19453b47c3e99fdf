#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/demo_features.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Json = nlohmann::ordered_json;

constexpr const char* kRecipe = R"({
  "features": "classic",
  "network": {"layers": [{"type": "dropout", "rate": 0.2},
                         {"type": "dense", "units": 16, "activation": "relu"}]},
  "training": {"epochs": 5, "learning_rate": 0.01}
})";

/// The classic features of four actors and a recipe that trains in no time.
class TrainAndEval : public DemoFeatures {
 protected:
  Outcome train(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {features_, "--recipe", recipe_, "-o", file(name)});
    return succeed("ser-train", more);
  }
  Outcome cross_validate(const std::string& name, std::vector<std::string> more) const {
    more.insert(more.begin(), {features_, "--train", recipe_, "-o", file(name)});
    return succeed("ser-eval", more);
  }

  /// A feature file of four clips listed in a manifest.
  std::string extract_manifest(const std::string& text) const {
    for (int emotion = 1; emotion <= 4; ++emotion)
      std::filesystem::copy_file(demo_clip(emotion), folder_ / (std::to_string(emotion) + ".flac"));
    const std::string manifest = folder_.add("clips.csv", text).string();
    succeed("ser-extract", {manifest, "--features", "classic", "-o", file("manifest")});
    return file("manifest");
  }

  std::string recipe_ = folder_.add("recipe.json", kRecipe).string();
};

TEST_F(TrainAndEval, TrainsAModelAndSaysSoOnStderr) {
  const Outcome done = train("model.json");
  EXPECT_THAT(done.out, IsEmpty());
  EXPECT_THAT(done.err, HasSubstr("model.json: 64 clips, 8 classes and gender, last loss"));
  const Json model = Json::parse(text_of(file("model.json")));
  EXPECT_EQ(model["heads"]["gender"], Json({"male", "female"}));
  EXPECT_EQ(model["training"]["speakers"],
            Json({"ravdess:01", "ravdess:02", "ravdess:03", "ravdess:04"}));
}

TEST_F(TrainAndEval, DescribesTheNetworkWithoutTraining) {
  const Outcome done = succeed("ser-train", {features_, "--recipe", recipe_, "--describe"});
  EXPECT_THAT(done.out, AllOf(HasSubstr("dense"), HasSubstr("2896"), HasSubstr("trained numbers")));
}

TEST_F(TrainAndEval, WritesTheSameBytesForAnyNumberOfThreads) {
  std::string model, result;
  for (const char* threads : {"1", "2", "7"}) {
    const Outcome trained = train("model.json", {"--threads", threads, "-q"});
    const Outcome scored =
        cross_validate("result.json", {"--cv", "speakers:2", "--threads", threads, "-q"});
    EXPECT_THAT(trained.out + trained.err + scored.err, IsEmpty());
    if (model.empty()) {
      model = text_of(file("model.json"));
      result = text_of(file("result.json"));
    }
    EXPECT_EQ(text_of(file("model.json")), model) << threads << " threads";
    EXPECT_EQ(text_of(file("result.json")), result) << threads << " threads";
  }
  EXPECT_FALSE(model.empty());
  EXPECT_FALSE(result.empty());
}

TEST_F(TrainAndEval, KilledAndResumedEndsInTheSameBytes) {
  const std::vector<std::string> long_run = {"--epochs", "120"};
  train("straight.json", long_run);
  std::vector<std::string> arguments = {
      features_,      "--recipe",         recipe_,    "-o", file("resumed.json"),
      "--checkpoint", file("checkpoint"), "--resume", "-q"};
  arguments.insert(arguments.end(), long_run.begin(), long_run.end());
  int killed = 0;
  Outcome done;
  do {  // each run gets a little more time than the one before
    RunOptions options;
    options.kill_after = std::chrono::milliseconds(60 + 15 * killed);
    done = run("ser-train", arguments, options);
  } while (done.exit_code != 0 && ++killed < 100);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  if (killed == 0) GTEST_SKIP() << "done before it could be killed";
  EXPECT_EQ(text_of(file("resumed.json")), text_of(file("straight.json")));
}

TEST_F(TrainAndEval, InterruptSavesAndSaysHowToResume) {
  RunOptions options;
  options.interrupt_at = file("checkpoint");
  const Outcome done = run("ser-train",
                           {features_, "--recipe", recipe_, "-o", file("m.json"), "--checkpoint",
                            file("checkpoint"), "--epochs", "100000"},
                           options);
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, AllOf(HasSubstr("interrupted"), HasSubstr("--resume")));
  EXPECT_TRUE(std::filesystem::exists(file("checkpoint")));
  EXPECT_FALSE(std::filesystem::exists(file("m.json")));
}

TEST_F(TrainAndEval, AnotherSeedGivesAnotherModel) {
  train("a.json");
  train("b.json", {"--seed", "2"});
  EXPECT_NE(text_of(file("a.json")), text_of(file("b.json")));
}

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

TEST_F(TrainAndEval, RandomFoldsWarnThatSpeakersLeak) {
  const Outcome scored = cross_validate("result.json", {"--cv", "random:2"});
  EXPECT_THAT(scored.err, HasSubstr("warning: random:2: speakers leak"));
  EXPECT_THAT(scored.out, AllOf(StartsWith("64 clips, random:2\n"), Not(HasSubstr("warning"))));
}

TEST_F(TrainAndEval, ScoringKnownSpeakersWarns) {
  train("model.json");
  const Outcome scored = succeed("ser-eval", {features_, "--model", file("model.json")});
  EXPECT_THAT(scored.err,
              HasSubstr("4 of 4 scored speakers were among the model's training speakers"));
}

TEST_F(TrainAndEval, ComparesTwoResults) {
  cross_validate("a.json", {"--cv", "speakers:2"});
  cross_validate("b.json", {"--cv", "random:2", "-q"});
  const Outcome compared = succeed("ser-eval", {"--compare", file("a.json"), file("b.json")});
  EXPECT_THAT(compared.out,
              AllOf(StartsWith("64 clips\n"), HasSubstr("sign flips over 4 speakers: p = "),
                    HasSubstr("95 % interval")));
  const Outcome one = run("ser-eval", {"--compare", file("a.json")});
  EXPECT_EQ(one.exit_code, 2);
  const Outcome missing = run("ser-eval", {"--compare", file("a.json"), file("none.json")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(lines_of(missing.err), ElementsAre(HasSubstr("none.json: opening failed")));
}

TEST_F(TrainAndEval, AnswersBelowTheThresholdAreUncertain) {
  const auto uncertain = [&](const std::string& model) {
    const Outcome said = succeed("ser-predict", {"--model", model, "--json", demo_clip(3)});
    return Json::parse(said.out)["uncertain"].get<bool>();
  };
  train("all.json", {"--uncertain-below", "1"});
  EXPECT_TRUE(uncertain(file("all.json")));
  succeed("ser-train",
          {"--combine", file("all.json"), "--uncertain-below", "0", "-o", file("none.json")});
  EXPECT_FALSE(uncertain(file("none.json")));
}

TEST_F(TrainAndEval, AModelIsExportedAsItIsTrainedOrLater) {
  train("a.json", {"--export", file("trained.onnx")});
  succeed("ser-train", {"--combine", file("a.json"), "--export", file("later.onnx")});
  EXPECT_EQ(text_of(file("trained.onnx")), text_of(file("later.onnx")));
  const std::string onnx = text_of(file("later.onnx"));
  EXPECT_THAT(onnx, AllOf(HasSubstr("MatMul"), HasSubstr("happy"), HasSubstr("Softmax")));
  EXPECT_EQ(run("ser-train", {"--combine", file("a.json"), "--export", file("a.json")}).exit_code,
            2);
}

TEST_F(TrainAndEval, BytesAsWeightsMakeASmallerModelOfTheSameAnswers) {
  train("a.json");
  succeed("ser-train", {"--combine", file("a.json"), "--weights", "i8", "-o", file("b.json")});
  EXPECT_LT(std::filesystem::file_size(file("b.json")), std::filesystem::file_size(file("a.json")));
  succeed("ser-eval", {features_, "--model", file("b.json"), "-o", file("b.result")});
}

TEST_F(TrainAndEval, AnEnsembleScoresAsTheAverageOfItsModels) {
  // Two models that read different features.
  const std::string other = file("other.safetensors");
  succeed("ser-extract", {demo_actor(1), demo_actor(2), demo_actor(3), demo_actor(4), "--features",
                          "mfcc", "--pool", "mean", "-o", other, "-q"});
  train("a.json", {"--cv", "speakers:2", "--fold", "0"});
  succeed("ser-train",
          {other, "--recipe", recipe_, "-o", file("b.json"), "--cv", "speakers:2", "--fold", "0"});
  succeed("ser-train", {"--combine", file("a.json"), file("b.json"), "--temperature", "0.7", "-o",
                        file("ensemble.json")});
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

TEST_F(TrainAndEval, OtherFeaturesAreRefusedWithBothFingerprints) {
  train("model.json");
  succeed("ser-extract",
          {demo_actor(1), "--features", "classic", "--rate", "8000", "-o", file("other"), "-q"});
  const auto fingerprint_of = [](const std::string& path) {
    const std::string text = text_of(path);
    const std::string key = "\"fingerprint\":\"";
    return text.substr(text.find(key) + key.size(), 16);
  };
  const Outcome refused = run("ser-eval", {file("other"), "--model", file("model.json")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(fingerprint_of(features_)),
                                 HasSubstr(fingerprint_of(file("other")))));
}

TEST_F(TrainAndEval, ClipsWithoutGenderTrainAnEmotionModel) {
  const std::string features =
      extract_manifest("path,emotion\n1.flac,happy\n2.flac,happy\n3.flac,sad\n4.flac,sad\n");
  const Outcome done =
      succeed("ser-train", {features, "--recipe", recipe_, "-o", file("model.json")});
  EXPECT_THAT(done.err, AllOf(HasSubstr("expected clips of both genders"),
                              HasSubstr("the model tells the emotion only")));
  const Outcome predicted =
      succeed("ser-predict", {"--model", file("model.json"), "--json", demo_clip(1)});
  EXPECT_TRUE(Json::parse(predicted.out)["gender"].is_null());

  const Outcome scored = run("ser-eval", {features, "--train", recipe_, "--cv", "speakers:2"});
  EXPECT_EQ(scored.exit_code, 1);
  EXPECT_THAT(scored.err, HasSubstr("without, use random:K"));
}

TEST_F(TrainAndEval, ClipsWithoutEmotionAreRefusedByTrainingAndScoring) {
  train("model.json");
  const std::string features =
      extract_manifest("path,emotion\n1.flac,happy\n2.flac,\n3.flac,sad\n4.flac,sad\n");
  for (const Outcome& refused :
       {run("ser-train", {features, "--recipe", recipe_, "-o", file("other.json")}),
        run("ser-eval", {features, "--model", file("model.json")}),
        run("ser-eval", {features, "--train", recipe_, "--cv", "random:2"})}) {
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err,
                AllOf(HasSubstr("an emotion"), HasSubstr("found none"), HasSubstr("2.flac")));
  }
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

TEST_F(TrainAndEval, WrongUsageExitsWithTwo) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"ser-train", features_}, "-o FILE"},
      {{"ser-train", features_, "-o", file("m"), "--cv", "speakers:2"}, "--cv and --fold"},
      {{"ser-train", features_, "-o", file("m"), "--fold", "1"}, "--cv and --fold"},
      {{"ser-train", features_, "-o", file("m"), "--cv", "speakers:2", "--fold", "2"},
       "--fold: expected 0 to 1 with speakers:2, found 2"},
      {{"ser-train", features_, "-o", file("m"), "--cv", "folds:2", "--fold", "0"},
       "--cv: split 'folds:2': expected speakers:K"},
      {{"ser-train", features_, "-o", file("m"), "--model", "mlp", "--recipe", recipe_},
       "--model and --recipe"},
      {{"ser-train", features_, "-o", file("m"), "--epochs", "0"},
       "--epochs: expected [1, 1000000], found 0"},
      {{"ser-train", features_, "-o", file("m"), "--resume"}, "--checkpoint FILE"},
      {{"ser-train", "-o", file("m")}, "expected a feature file"},
      {{"ser-train", features_}, "-o FILE or --export FILE"},
      {{"ser-train", features_, "-o", file("m"), "--temperature", "2"}, "expected --combine"},
      {{"ser-train", features_, "-o", file("m"), "--combine", "a"}, "model files alone"},
      {{"ser-eval", features_, "--train", "mlp", "--temperature", "2"}, "expected --average"},
      {{"ser-eval", features_}, "expected one of --model, --train"},
      {{"ser-eval", "--train", "mlp"}, "expected a feature file"},
      {{"ser-eval", features_, "--train", "mlp", "--fold", "0"}, "--fold has no place"},
      {{"ser-eval", features_, "--train", "mlp", "--model", "m"}, "expected one of"}};
  for (auto [arguments, message] : wrong) {
    const std::string program = arguments.front();
    arguments.erase(arguments.begin());
    const Outcome refused = run(program, arguments);
    EXPECT_EQ(refused.exit_code, 2) << message;
    EXPECT_THAT(refused.out, IsEmpty());
    EXPECT_THAT(refused.err, HasSubstr(message));
  }
}

TEST_F(TrainAndEval, FilesThatAreMissingOrBrokenExitWithOne) {
  folder_.add("torn", text_of(features_).substr(0, 5000));
  for (const Outcome& failed :
       {run("ser-train", {file("none"), "-o", file("m")}),
        run("ser-train", {file("torn"), "-o", file("m")}),
        run("ser-train", {features_, "-o", file("m"), "--recipe", file("none")}),
        run("ser-eval", {features_, "--model", features_}),
        run("ser-eval", {"--merge", features_})}) {
    EXPECT_EQ(failed.exit_code, 1);
    EXPECT_THAT(failed.out, IsEmpty());
    EXPECT_THAT(lines_of(failed.err), ElementsAre(HasSubstr(folder_.path().string())));
  }
  EXPECT_FALSE(std::filesystem::exists(file("m")));
}

}  // namespace
}  // namespace ser
