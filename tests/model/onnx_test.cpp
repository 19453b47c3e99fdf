#include "ser/model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ser/audio/audio_file.h"
#include "ser/features/describe.h"
#include "support/onnx_reader.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

/// Recordings of speech: the demo corpus, a part of it where that is enough.
std::vector<std::filesystem::path> recordings() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(source_folder() / "data/demo"))
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::string fingerprint_of(const std::string& preset) {
  return fingerprint(parse_feature_set(preset));
}

class OnnxModel : public testing::TestWithParam<std::string> {};

TEST_P(OnnxModel, AnotherProgramAnswersTheSame) {
  if (!has_onnx_reader()) GTEST_SKIP() << "libopencv-dnn-dev is not installed";
  const TempFolder folder;
  const Predictor predictor(read_model(source_folder() / "models" / GetParam()));
  write_onnx(predictor.model(), folder / "model.onnx");
  for (const auto& file : recordings()) {
    SCOPED_TRACE(file.filename());
    const RecordingFeatures features = predictor.features(read_audio(file));
    Eigen::Index frames = 1;
    for (const auto& [fingerprint, clip] : features) frames = std::max(frames, clip.cols());
    OnnxReader reader(folder / "model.onnx", frames);
    reader.set_frames("frames", features.at(fingerprint_of("frames")));
    for (const std::string name : {"functionals", "vocal_tract"})
      reader.set_vector(name, features.at(fingerprint_of(name)));
    const ClipPrediction expected = predictor.predict(features);
    EXPECT_LT((reader.output("emotion").cast<double>() - expected.emotions).cwiseAbs().maxCoeff(),
              1e-4);
    EXPECT_LT((reader.output("gender").cast<double>() - expected.genders).cwiseAbs().maxCoeff(),
              1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, OnnxModel,
                         testing::Values("default.json", "best.json", "free.json"),
                         [](const auto& test) {
                           return test.param.substr(0, test.param.find('.'));
                         });

}  // namespace
}  // namespace ser
