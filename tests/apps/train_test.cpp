#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/train_and_eval.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Json = nlohmann::ordered_json;

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

TEST_F(TrainAndEval, AFoldAloneIsOneOfTheUsualSplit) {
  const std::string six = file("six.safetensors");
  succeed("ser-extract", {demo_actor(1), demo_actor(2), demo_actor(3), demo_actor(4), demo_actor(5),
                          demo_actor(6), "--features", "classic", "-o", six});
  const auto fold_zero = [&](const std::string& name, std::vector<std::string> more) {
    more.insert(more.end(), {"--fold", "0", "-o", file(name)});
    succeed(more[0], {more.begin() + 1, more.end()});
    return text_of(file(name));
  };
  EXPECT_EQ(fold_zero("a.json", {"ser-train", six, "--recipe", recipe_}),
            fold_zero("b.json", {"ser-train", six, "--recipe", recipe_, "--cv", "speakers:6"}));
  EXPECT_EQ(
      fold_zero("a.result", {"ser-eval", six, "--model", file("a.json")}),
      fold_zero("b.result", {"ser-eval", six, "--model", file("a.json"), "--cv", "speakers:6"}));
}

TEST_F(TrainAndEval, SaysWhereNobodyCanBeHeldOutToStopOn) {
  const std::string stops =
      folder_
          .add("stops.json",
               R"({"training": {"epochs": 2, "early_stopping": {"enabled": true}},
                   "network": {"layers": [{"type": "dense", "units": 8}]}})")
          .string();
  const auto said = [&](const char* split) {
    return succeed("ser-eval", {features_, "--train", stops, "--cv", split}).err;
  };
  EXPECT_THAT(said("speakers:2"), HasSubstr("fewer than four training speakers: all 2 epochs"));
  EXPECT_THAT(said("random:2"), Not(HasSubstr("fewer than four")));
}

TEST_F(TrainAndEval, ARecipeOfFramesIsNotDescribedForVectors) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--describe"}, {"-o", file("m.json")}}) {
    std::vector<std::string> arguments = {features_, "--model", "cnn"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome refused = run("ser-train", arguments);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("the recipe is made for frames"));
  }
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

TEST_F(TrainAndEval, ARunThatWasDoneSaysSo) {
  const std::vector<std::string> arguments = {
      features_, "--recipe", recipe_, "-o", file("m.json"), "--checkpoint", file("ck"), "--resume"};
  EXPECT_THAT(run("ser-train", arguments).err, HasSubstr("last loss"));
  EXPECT_THAT(run("ser-train", arguments).err, HasSubstr("all epochs were in the checkpoint"));
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

TEST_F(TrainAndEval, ARiskDecidesWhichAnswersAreUncertain) {
  const auto threshold = [&](const std::string& model) {
    return Json::parse(text_of(file(model)))["calibration"]["uncertain_below"].get<double>();
  };
  train("plain.json");
  const Outcome any = train("any.json", {"--risk", "1"});
  EXPECT_THAT(any.err, HasSubstr("1 speaker held out: 100 % of the answers are certain"));
  EXPECT_EQ(threshold("any.json"), 0) << "all of them may be wrong";
  const Outcome few = train("few.json", {"--risk", "0.001"});
  EXPECT_GT(threshold("few.json"), 0);
  EXPECT_THAT(few.err, AnyOf(HasSubstr(", 100 % of those right (from "),
                             HasSubstr("every answer will be marked uncertain")));
  EXPECT_EQ(Json::parse(text_of(file("plain.json")))["members"],
            Json::parse(text_of(file("few.json")))["members"])
      << "the model itself is trained on all";
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--risk", "0"}, {"--risk", "0.2", "--uncertain-below", "0.5"}}) {
    std::vector<std::string> arguments = {features_, "--recipe", recipe_, "-o", file("m.json")};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(run("ser-train", arguments).exit_code, 2);
  }
}

TEST_F(TrainAndEval, AModelIsExportedAsItIsTrainedOrLater) {
  train("a.json", {"--export", file("trained.onnx")});
  succeed("ser-train", {"--combine", file("a.json"), "--export", file("later.onnx")});
  EXPECT_EQ(text_of(file("trained.onnx")), text_of(file("later.onnx")));
  train("rounded.json", {"--weights", "i8", "--export", file("trained-i8.onnx")});
  succeed("ser-train", {"--combine", file("rounded.json"), "--export", file("later-i8.onnx")});
  EXPECT_EQ(text_of(file("trained-i8.onnx")), text_of(file("later-i8.onnx")));
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
  EXPECT_THAT(done.err, AllOf(HasSubstr("no corpus has clips of both genders"),
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

TEST_F(TrainAndEval, WrongUsageExitsWithTwo) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"ser-train", features_}, "-o FILE"},
      {{"ser-train", features_, "-o", file("m"), "--cv", "speakers:2"}, "--cv: expected --fold"},
      {{"ser-train", features_, "-o", file("m"), "--model", "rnn"},
       "--model: expected one of mlp, cnn, lstm, found 'rnn' (did you mean 'cnn'?)"},
      {{"ser-train", features_, "-o", file("m"), "--describe"}, "--output: --describe prints"},
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
      {{"ser-train", features_, "-o", file("m"), "--heard-temperature", "2"}, "expected --combine"},
      {{"ser-train", features_, "-o", file("m"), "--combine", "a"}, "model files alone"},
      {{"ser-eval", features_, "--train", "mlp", "--temperature", "2"}, "expected --average"},
      {{"ser-train", "--combine", "a", "--batch-size", "3", "-o", file("m")},
       "--batch-size: --combine trains nothing"},
      {{"ser-eval", features_, "--merge", "r"}, "expected result files alone"},
      {{"ser-eval", "--merge", "r", "--cv", "loso"}, "--cv: expected --model or --train"},
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
