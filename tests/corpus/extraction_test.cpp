#include "ser/corpus/extraction.h"

#include <gmock/gmock.h>

#include "ser/audio/audio_file.h"
#include "ser/core/rng.h"
#include "ser/corpus/speaker.h"
#include "ser/features/extractor.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kRateHz = 8000;

Waveform noise(double duration_s) {
  Rng rng(5, 0);
  Waveform wave{Eigen::VectorXf(std::lround(duration_s * kRateHz)), kRateHz};
  for (float& sample : wave.samples) sample = static_cast<float>(0.1 * rng.normal());
  return wave;
}

struct Done {
  FeatureTable table;
  std::vector<std::string> warnings;
};

Done extract_one(const std::filesystem::path& file, ExtractionOptions options) {
  Done done;
  options.on_notice = [&](const std::string& path, const std::string& notice) {
    done.warnings.push_back(path + ": " + notice);
  };
  Utterance clip;
  clip.path = "a.wav";
  done.table = extract({{file, clip}}, options);
  return done;
}

class LongRecording : public ::testing::Test {
 protected:
  void SetUp() override { write_wav(file_, wave_, SampleFormat::kFloat); }
  /// Pieces of half a minute; the last takes what is left.
  std::vector<Waveform> pieces() const {
    std::vector<Waveform> pieces;
    for (Eigen::Index begin = 0; begin < wave_.samples.size(); begin += 30 * kRateHz)
      pieces.push_back(
          {wave_.samples.segment(
               begin, std::min<Eigen::Index>(30 * kRateHz, wave_.samples.size() - begin)),
           kRateHz});
    return pieces;
  }

  TempFolder folder_;
  std::filesystem::path file_ = folder_ / "a.wav";
  Waveform wave_ = noise(75);
};

TEST_F(LongRecording, HasTheFramesOfItsPieces) {
  const FeatureSet set = parse_feature_set("mfcc,energy");
  const Done done = extract_one(file_, {set});
  ASSERT_EQ(done.table.size(), 1u);
  const Extractor extractor(set);
  Eigen::Index begin = 0;
  for (const Waveform& piece : pieces()) {
    const Eigen::MatrixXf features = extractor.extract(piece);
    EXPECT_EQ(done.table.values.middleCols(begin, features.cols()), features);
    begin += features.cols();
  }
  EXPECT_EQ(begin, done.table.values.cols());
  EXPECT_THAT(done.warnings, ElementsAre(HasSubstr("a.wav: longer than 60 s: extracted in pieces "
                                                   "of 30 s")));
}

TEST_F(LongRecording, PoolsToTheMeanOfItsPieces) {
  const FeatureSet set = parse_feature_set("mfcc", Pooling::kStats);
  const Done done = extract_one(file_, {set, parse_augmentations("gain:-6")});
  ASSERT_EQ(done.table.values.cols(), 2);
  const Extractor extractor(set);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(done.table.values.rows());
  for (const Waveform& piece : pieces())
    sum += piece.duration_s() * extractor.extract(piece).cast<double>();
  EXPECT_LT((done.table.values.col(0).cast<double>() - sum / 75).cwiseAbs().maxCoeff(), 1e-3);
  EXPECT_EQ(done.table.clips[1].augmentation, "gain:-6");
}

TEST_F(LongRecording, LooksAtThePartThatItsSetNames) {
  FeatureSet set = parse_feature_set("energy");
  set.offset_s = 10;
  set.duration_s = 60;
  const Extractor extractor(parse_feature_set("energy"));
  const Eigen::MatrixXf values = extract_one(file_, {set}).table.values;
  ASSERT_EQ(values.cols(),
            2 * extractor.extract({wave_.samples.head(30 * kRateHz), kRateHz}).cols());
  const Waveform first{wave_.samples.segment(10 * kRateHz, 30 * kRateHz), kRateHz};
  EXPECT_EQ(values.leftCols(values.cols() / 2), extractor.extract(first));
}

TEST_F(LongRecording, IsExtractedWholeWhereItsSetLooksAtTheBeginning) {
  FeatureSet set = parse_feature_set("energy");
  set.duration_s = 20;
  const Done done = extract_one(file_, {set});
  const Waveform part{wave_.samples.head(20 * kRateHz), kRateHz};
  EXPECT_EQ(done.table.values, Extractor(parse_feature_set("energy")).extract(part));
  EXPECT_THAT(done.warnings, IsEmpty());
}

TEST_F(LongRecording, IsSkippedBeforeItsFirstRowWhereNothingIsLeft) {
  FeatureSet set = parse_feature_set("energy");
  set.offset_s = 75;
  EXPECT_ERROR(extract_one(file_, {set}),
               HasSubstr("a.wav: expected at least 0.1 s of audio after 75 s, found 0.000 s"));
}

TEST_F(LongRecording, HasTheContentOfAllOfIt) {
  const FeatureSet set = parse_feature_set("energy");
  ContentHash content(kRateHz);
  content.add({wave_.samples.data(), static_cast<std::size_t>(wave_.samples.size())});
  EXPECT_EQ(extract_one(file_, {set}).table.clips[0].content, content.text());
}

TEST_F(LongRecording, AMinuteIsExtractedWhole) {
  write_wav(file_, noise(60), SampleFormat::kFloat);
  const FeatureSet set = parse_feature_set("mfcc");
  const Done done = extract_one(file_, {set});
  EXPECT_EQ(done.table.values, Extractor(set).extract(noise(60)));
  EXPECT_THAT(done.warnings, IsEmpty());
}

}  // namespace
}  // namespace ser
