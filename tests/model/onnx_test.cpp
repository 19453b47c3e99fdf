#include "ser/model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/run.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/core/rng.h"
#include "ser/features/feature_set.h"
#include "support/onnx_reader.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

constexpr std::size_t kClips = 200;

/// Recordings of speech: the demo corpus.
std::vector<std::filesystem::path> recordings() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(source_folder() / "data/demo"))
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// So many clips: the recordings, then those of them spoken more slowly.
Waveform clip(const std::vector<std::filesystem::path>& files, std::size_t index) {
  const Waveform wave = read_audio(files[index % files.size()]);
  Rng rng(1, index);
  return index < files.size() ? wave : augment(wave, parse_augmentations("speed:0.9")[0], rng);
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
  const std::vector<std::filesystem::path> files = recordings();
  for (std::size_t i = 0; i < kClips; ++i) {
    SCOPED_TRACE("clip " + std::to_string(i));
    const RecordingFeatures features = predictor.features(clip(files, i));
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

TEST_P(OnnxModel, TheCheckerOfTheFormatFindsNothing) {
  const std::string python = "/usr/bin/python3";  // with Debian's packages
  if (run_path(python, {"-c", "import onnx"}).exit_code != 0)
    GTEST_SKIP() << "python3-onnx is not installed";
  const TempFolder folder;
  write_onnx(read_model(source_folder() / "models" / GetParam()), folder / "model.onnx");
  const Outcome checked = run_path(
      python, {"-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)",
               (folder / "model.onnx").string()});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
}

INSTANTIATE_TEST_SUITE_P(Shipped, OnnxModel,
                         testing::Values("default.json", "best.json", "free.json"),
                         [](const auto& test) {
                           return test.param.substr(0, test.param.find('.'));
                         });

}  // namespace
}  // namespace ser
