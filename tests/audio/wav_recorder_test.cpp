#include "ser/audio/wav_recorder.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "ser/audio/audio_file.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::HasSubstr;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const float> span_of(const Waveform& wave) {
  return {wave.samples.data(), static_cast<std::size_t>(wave.samples.size())};
}

TEST(WavRecorder, WritesTheSameFileWholeAndInParts) {
  const TempFolder folder;
  const Waveform wave{Eigen::VectorXf::Random(25000), 8000};
  for (const SampleFormat format : {SampleFormat::kInt16, SampleFormat::kFloat}) {
    write_wav(folder / "whole.wav", wave, format);
    WavRecorder recorder(folder / "parts.wav", 8000, format);
    for (std::size_t at = 0; at < 25000; at += 1000)
      recorder.write(span_of(wave).subspan(at, 1000));
    recorder.close();
    EXPECT_EQ(bytes_of(folder / "parts.wav"), bytes_of(folder / "whole.wav"));
  }
}

TEST(WavRecorder, IsAValidFileWhileItRecords) {
  const TempFolder folder;
  const Waveform wave{Eigen::VectorXf::Random(20000), 8000};
  WavRecorder recorder(folder / "x.wav", 8000, SampleFormat::kInt16);
  for (std::size_t at = 0; at < 20000; at += 500) recorder.write(span_of(wave).subspan(at, 500));
  const Waveform so_far = read_audio(folder / "x.wav");
  EXPECT_EQ(so_far.samples.size(), 16000);
  EXPECT_LT((so_far.samples - wave.samples.head(16000)).cwiseAbs().maxCoeff(), 1e-4f);
}

TEST(WavRecorder, StopsWhereTheFileIsFull) {
  const TempFolder folder;
  const Waveform wave{Eigen::VectorXf::Random(3000), 8000};
  WavRecorder recorder(folder / "x.wav", 8000, SampleFormat::kInt16, 5000);
  recorder.write(span_of(wave).first(2500));
  EXPECT_FALSE(recorder.full());
  recorder.write(span_of(wave).first(10));
  EXPECT_TRUE(recorder.full());
  recorder.close();
  EXPECT_EQ(read_audio(folder / "x.wav").samples.size(), 2500);
}

TEST(WavRecorder, SaysWhereItCannotWrite) {
  EXPECT_ERROR(WavRecorder("/nowhere/x.wav", 8000, SampleFormat::kInt16),
               HasSubstr("/nowhere/x.wav: expected to write a recording there, found: No such"));
  EXPECT_ERROR(WavRecorder("/dev/full", 8000, SampleFormat::kInt16), HasSubstr("No space left"));
}

}  // namespace
}  // namespace ser
