#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/internal/batch.h"
#include "model/mfcc_rows.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/model/model.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::HasSubstr;

Member small_member(std::uint64_t seed) {
  FeatureSet set = parse_feature_set("mfcc");
  set.pool = Pooling::kMean;
  nn::NetworkOptions options;
  from_json(R"({"layers": [{"type": "dense", "units": 5, "activation": "relu"},
                           {"type": "batch_norm"}]})",
            options);
  nn::Network network(options, input_shape(kMfccRows, false), 5);
  network.initialize(Rng(seed, 0));
  ScalerFit fit;
  fit.add(Eigen::MatrixXf::Random(kMfccRows, 9));
  return {set, fit.finish({ScalerOptions::Kind::kRows, 3}), network, 1.5, 1, {}};
}

Model small_model(int members) {
  Model model;
  model.emotions = {"happy", "sad", "angry"};
  model.genders = {"male", "female"};
  model.training.seed = 7;
  model.training.recipe = R"({"a":1})";
  model.training.split = "speakers:6";
  model.training.fold = 2;
  model.training.speakers = {"1", "2"};
  model.training.recordings = {"00ff", "a0a0"};
  for (int m = 0; m < members; ++m)
    model.members.push_back(small_member(static_cast<std::uint64_t>(m)));
  return model;
}

std::vector<Eigen::MatrixXf> some_clips() {
  return {Eigen::MatrixXf::Constant(kMfccRows, 1, 0.3f),
          Eigen::MatrixXf::Constant(kMfccRows, 1, -1)};
}

std::vector<ClipPrediction> predictions(const Model& model) {
  return predict(model, {{fingerprint(model.members[0].set), some_clips()}}, {}, 1);
}

std::string written(const Model& model, WeightFormat format = WeightFormat::kF32) {
  const TempFolder folder;
  write_model(model, folder.path() / "m.json", format);
  return read_file(folder.path() / "m.json", 1 << 20);
}

Model read_text(const std::string& text) {
  const TempFolder folder;
  write_file(folder.path() / "m.json", text);
  return read_model(folder.path() / "m.json");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ModelFile, SaveAndLoadGivesTheSameBits) {
  for (const int members : {1, 3}) {
    const Model model = small_model(members);
    const std::string text = written(model);
    const Model copy = read_text(text);
    EXPECT_EQ(written(copy), text);
    for (std::size_t i = 0; i < some_clips().size(); ++i) {
      EXPECT_EQ(predictions(model)[i].emotions, predictions(copy)[i].emotions);
      EXPECT_EQ(predictions(model)[i].genders, predictions(copy)[i].genders);
    }
    EXPECT_EQ(copy.training.speakers, model.training.speakers);
    EXPECT_EQ(copy.training.recordings, model.training.recordings);
    EXPECT_EQ(copy.training.fold, 2);
  }
}

TEST(ModelFile, OlderOnesTellNoRecordings) {
  nlohmann::ordered_json older = nlohmann::ordered_json::parse(written(small_model(1)));
  older["training"].erase("recordings");
  EXPECT_TRUE(read_text(older.dump()).training.recordings.empty());
}

TEST(ModelFile, HalfPrecisionMovesProbabilitiesLittle) {
  const Model model = small_model(1);
  const std::string half = written(model, WeightFormat::kF16);
  EXPECT_LT(half.size(), written(model).size());
  EXPECT_TRUE(
      predictions(read_text(half))[0].emotions.isApprox(predictions(model)[0].emotions, 1e-2));
}

TEST(ModelFile, BytesAreTheNearestOf255StepsOfEachRow) {
  const Model model = small_model(1);
  const std::string text = written(model, WeightFormat::kI8);
  EXPECT_LT(text.size(), written(model).size());
  const nn::Network &before = model.members[0].network, after = read_text(text).members[0].network;
  for (const nn::Parameter& p : before.named_parameters()) {
    const nn::ConstAlignedMap a(before.parameters().data() + p.offset, p.rows, p.cols);
    const nn::ConstAlignedMap b(after.parameters().data() + p.offset, p.rows, p.cols);
    if (p.cols == 1) {
      EXPECT_EQ(a, b) << p.name;
    }
    for (nn::Index row = 0; row < p.rows; ++row)
      EXPECT_LE((a.row(row) - b.row(row)).cwiseAbs().maxCoeff(),
                a.row(row).cwiseAbs().maxCoeff() / 127 * 0.5001f)
          << p.name;
  }
}

TEST(ModelFile, ARowOfZerosStaysOneInBytes) {
  Model model = small_model(1);
  model.members[0].network.parameters().setZero();
  const Model copy = read_text(written(model, WeightFormat::kI8));
  EXPECT_TRUE(copy.members[0].network.parameters().isZero(0));
}

TEST(ModelFile, EditedBytesAreRefusedWithTheReason) {
  const std::string text = written(small_model(1), WeightFormat::kI8);
  EXPECT_ERROR(read_text(replaced(text, "\"i8\"", "\"i4\"")), HasSubstr("expected f32, f16 or i8"));
  EXPECT_ERROR(read_text(replaced(text, "\"scale\": {\n    \"shape\"", "\"s\": {\n    \"shape\"")),
               HasSubstr("'scale' is missing"));
  // The scale of the last row of a tensor becomes -1, or goes with its shape.
  const std::size_t tensor = text.find("\"0.weight\""), scale = text.find("\"scale\"", tensor);
  std::string other = text;
  const std::size_t data = other.find("\"data\": \"", scale) + 9;
  other.replace(data, other.find('"', data) - data, "AACAvwAAgL8AAIC/AACAvwAAgL8=");
  EXPECT_ERROR(read_text(other), HasSubstr("'scale': expected 5 finite numbers from 0"));
}

TEST(ModelFile, ProbabilitiesSumToOne) {
  const ClipPrediction p = predictions(small_model(2))[0];
  EXPECT_NEAR(p.emotions.sum(), 1, 1e-6);
  EXPECT_NEAR(p.genders.sum(), 1, 1e-6);
}

TEST(ModelFile, OtherFeaturesAreRefusedWithBothFingerprints) {
  const Model model = small_model(1);
  const std::string found = fingerprint(parse_feature_set("mel"));
  EXPECT_ERROR(predict(model, {{found, some_clips()}}, {}, 1),
               AllOf(HasSubstr(fingerprint(model.members[0].set)), HasSubstr(found)));
}

TEST(ModelFile, EditedFilesAreRefusedWithTheReason) {
  const std::string text = written(small_model(1));
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"ser-model", "other", "expected a model file"},
      {"\"version\": 1", "\"version\": 2", "expected version 1"},
      {"\"dtype\": \"f32\"", "\"dtype\": \"f64\"", "scaler: expected f32 numbers"},
      {"\"0.weight\": {\n   \"shape\": [\n    5", "\"0.weight\": {\n   \"shape\": [\n    6",
       "'shape'"},
      {"\"units\": 5", "\"units\": 6", "weight '0.weight': 'shape'"},
      {"\"units\": 5", "\"units\": 1000000", "more than"},
      {"\"units\": 5", "\"units\": 2000000000", "expected an integer in [1, 1048576]"},
      {"\"num_coefficients\": 20", "\"num_coefficients\": 2000000000", "expected an integer in"},
      {"\"num_coefficients\": 20", "\"num_coefficients\": 19", "rows"},
      {"\"rows\": 20", "\"rows\": -1", "'rows'"},
      {"\"temperature\": 1.5", "\"temperature\": 0", "'temperature'"},
      {"\"uncertain_below\": 0.6", "\"uncertain_below\": 2", "a number from 0 to 1, found 2"},
      {"\"gender_only\": false", "\"gender_only\": 1", "'gender_only': expected true or false"},
      {"\"emotion_only\": false", "\"emotion_only\": 1", "'emotion_only': expected true or false"},
      {"\"limit\"", "\"limits\"", "unknown option 'limits'"},
      {"\"heads\"", "\"head\"", "'heads' is missing"},
      {"output.bias", "output.bios", "'output.bias' is missing"},
      {"\"data\": \"", "\"data\": \"!", "base64"},
  };
  for (const auto& c : cases)
    EXPECT_ERROR(read_text(replaced(text, c.from, c.to)), HasSubstr(c.message)) << c.from;
}

TEST(ModelFile, ARecipeOfNoUseIsRefused) {
  Model model = small_model(1);
  model.training.recipe = "[1, 2]";
  EXPECT_ERROR(read_text(written(model)), HasSubstr("'recipe': expected an object, found array"));
  model.training.recipe = R"({"description": ")" + std::string(1 << 20, 'a') + "\"}";
  EXPECT_ERROR(read_text(written(model)), HasSubstr("expected at most 1048576 bytes"));
}

TEST(ModelFile, NegativeVariancesAreRefused) {
  Model model = small_model(1);
  model.members[0].network.state().setConstant(-1);
  EXPECT_ERROR(read_text(written(model)),
               HasSubstr("weight '1.variance': expected variances from 0"));
}

TEST(ModelFile, OfARelativeModelOfOldIsRefusedWithTheCure) {
  const std::string text =
      replaced(written(small_model(1)), "\"weight\": 1.0", "\"weight\": 1.0, \"enrolled\": true");
  EXPECT_ERROR(read_text(text), HasSubstr("train it again, with \"listening\""));
}

TEST(ModelFile, ListeningOptionsOutOfRangeAreRefused) {
  const std::string text = written(small_model(1));
  EXPECT_ERROR(read_text(replaced(text, "\"strength\": 4.0", "\"strength\": -4")),
               HasSubstr("strength"));
}

TEST(ModelFile, RepeatedKeysAreRefused) {
  EXPECT_ERROR(read_text(R"({"a": 1, "a": 2})"), HasSubstr("stands twice"));
}

TEST(ModelFile, MarksInPlaceOfWeightsAreRefused) {
  // The reader takes long texts out and leaves "@" in their place: a file must not do so itself.
  const std::string text = written(small_model(1));
  const auto data = text.find("\"data\": \"") + 9;
  std::string marked = text;
  marked.replace(data, text.find('"', data) - data, "@");
  EXPECT_ERROR(read_text(marked), HasSubstr("base64"));
  const std::string hidden = std::string(R"({"x\"data": ")") + std::string(100, 'A') + "\"}";
  EXPECT_ERROR(read_text(hidden), HasSubstr("'data': expected base64 text"));
}

TEST(ModelFile, RecordingsAreReadHoweverTheyAreWritten) {
  const std::string text = written(small_model(1));
  const std::size_t begin = text.find('[', text.find("\"recordings\"")),
                    end = text.find(']', begin);
  const auto with_list = [&](const std::string& list) {
    return read_text(text.substr(0, begin) + list + text.substr(end + 1)).training.recordings;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(with_list("[]"), Names());
  EXPECT_EQ(with_list("[\"00ff\",\n\"0\"]"), Names({"00ff", "0"}));
  EXPECT_EQ(with_list("[\"00ff\", \"A\\u0062\"]"), Names({"00ff", "Ab"}));
  EXPECT_ERROR(with_list("[\"00ff\", 1]"), HasSubstr("'recordings': expected names"));
  EXPECT_ERROR(with_list("[\"00ff\" \"0\"]"), HasSubstr("stopped at byte"));
  EXPECT_ERROR(with_list("[\"00ff\","), HasSubstr("stopped at byte"));
  EXPECT_ERROR(read_text(replaced(replaced(text, "\"recordings\"", "\"other\""), "\"heads\": {",
                                  "\"heads\": {\"recordings\": [\"00ff\"],")),
               HasSubstr("expected 'recordings' in 'training' alone"));
}

TEST(ModelFile, SyntaxErrorsAreCountedInTheWholeFile) {
  std::string text = written(small_model(1));
  text.insert(text.size() - 3, "!");
  EXPECT_ERROR(read_text(text), HasSubstr("stopped at byte " + std::to_string(text.size() - 3)));
}

TEST(ModelFile, DeepNestingIsRefused) {
  EXPECT_ERROR(read_text(std::string(100000, '[')), HasSubstr("nested deeper"));
}

TEST(ModelFile, CutOrChangedAnywhereItThrowsOrLoads) {
  const std::string text = written(small_model(1));
  Rng rng(5, 0);
  for (int trial = 0; trial < 400; ++trial) {
    std::string broken = text;
    if (trial % 2)
      broken.resize(rng.below(text.size()));
    else
      broken[rng.below(text.size())] = static_cast<char>(rng.below(256));
    try {
      predictions(read_text(broken));
    } catch (const Error&) {
    }
  }
}

TEST(ModelFile, MissingFileIsNamed) {
  EXPECT_ERROR(read_model("/nowhere/m.json"), HasSubstr("/nowhere/m.json"));
}

}  // namespace
}  // namespace ser
