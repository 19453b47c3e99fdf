// Files of version 0.1.0, made by its programs from the first four speakers of data/demo (two clips
// each): ser-extract --features classic, ser-train and ser-eval --cv speakers:2 with a recipe of
// one dense layer of four units.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ser/audio/audio_file.h"
#include "ser/core/error.h"
#include "ser/corpus/feature_table.h"
#include "ser/eval/result_file.h"
#include "ser/model/model.h"
#include "support/paths.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path fixture(const char* name) {
  return source_folder() / "tests/eval/fixtures/0.1.0" / name;
}

template <typename Read>
std::string refusal(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

TEST(OlderFiles, AModelAnswersAsItDid) {
  const Predictor predictor(read_model(fixture("model.json")));
  const ClipPrediction answer = predictor.predict(
      read_audio(source_folder() / "data/demo/Actor_01/03-01-05-02-02-01-01.flac"));
  EXPECT_THAT(predictor.model().emotions, ElementsAre("happy", "angry"));
  EXPECT_NEAR(answer.emotions(1), 0.88574, 1e-3);
  EXPECT_NEAR(answer.genders(0), 0.59209, 1e-3);
}

TEST(OlderFiles, AResultHasItsScores) {
  const ResultFile result = read_result(fixture("result.json"));
  EXPECT_EQ(result.scores.n, 8);
  EXPECT_DOUBLE_EQ(result.scores.uar, 0.5);
  EXPECT_NEAR(result.scores.ece, 0.37634, 1e-5);
  EXPECT_EQ(result.folds.size(), 2u);
  EXPECT_EQ(result.info.heard, 0);
}

TEST(OlderFiles, FeaturesAreRefusedWithTheCommandThatMakesThemAnew) {
  EXPECT_THAT(refusal([] { read_feature_table(fixture("features.safetensors")); }),
              AllOf(HasSubstr("made by another version of ser"),
                    HasSubstr("ser-extract INPUT --features classic -o FILE")));
}

TEST(OlderFiles, AModelRelativeToTheSpeakerIsRefusedWithTheCommandThatTrainsItAnew) {
  EXPECT_THAT(refusal([] { read_model(fixture("enrolled.json")); }),
              AllOf(HasSubstr("enrolled.json: a model of version 0.1.0"),
                    HasSubstr("ser-train FEATURES --model mlp -o FILE")));
}

}  // namespace
}  // namespace ser
