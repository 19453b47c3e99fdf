#include "ser/audio/audio_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "audio/encoded.h"
#include "audio/signals.h"
#include "ser/core/atomic_file.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

Waveform read_bytes(const std::string& bytes) {
  return read_audio(std::as_bytes(std::span(bytes)), "clip.wav");
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { read_bytes(bytes); });
}

TEST(AudioFile, Int16IsScaledBy32768) {
  std::vector<std::int16_t> samples(2000, 0);
  samples[0] = -32768;
  samples[1] = 32767;
  samples[2] = 1;
  const Waveform wave = read_bytes(wav_bytes(1, 16000, samples));
  EXPECT_EQ(wave.sample_rate_hz, 16000);
  ASSERT_EQ(wave.samples.size(), 2000);
  EXPECT_EQ(wave.samples[0], -1.0f);
  EXPECT_EQ(wave.samples[1], 32767.0f / 32768.0f);
  EXPECT_EQ(wave.samples[2], 1.0f / 32768.0f);
}

TEST(AudioFile, ChannelsAreAveraged) {
  for (const std::uint16_t channels : {2, 3, 6}) {
    std::vector<std::int16_t> samples;
    for (int frame = 0; frame < 1600; ++frame)
      for (int c = 0; c < channels; ++c)
        samples.push_back(static_cast<std::int16_t>(frame + 1000 * c * c));
    const Waveform wave = read_bytes(wav_bytes(channels, 16000, samples));
    ASSERT_EQ(wave.samples.size(), 1600);
    double offset = 0;
    for (int c = 0; c < channels; ++c) offset += 1000.0 * c * c / channels;
    EXPECT_NEAR(wave.samples[0], offset / 32768, 1e-7);
    EXPECT_NEAR(wave.samples[1599], (1599 + offset) / 32768, 1e-7);
  }
}

TEST(AudioFile, ReaderGivesTheSameSamplesInBlocks) {
  const TempFolder folder;
  write_wav(folder / "long.wav", sine(200, 10, 48000), SampleFormat::kFloat);
  AudioReader reader(folder / "long.wav");
  EXPECT_EQ(reader.sample_rate_hz(), 48000);
  EXPECT_EQ(reader.num_channels(), 1);
  std::vector<float> samples;
  int blocks = 0;
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block(), ++blocks)
    samples.insert(samples.end(), block.begin(), block.end());
  EXPECT_GT(blocks, 5);
  const Waveform whole = read_audio(folder / "long.wav");
  EXPECT_EQ(Eigen::VectorXf::Map(samples.data(), static_cast<Eigen::Index>(samples.size())),
            whole.samples);
}

TEST(AudioFile, WrittenInt16ReadsBackExactly) {
  const TempFolder folder;
  std::vector<std::int16_t> samples;
  for (int i = 0; i < 4000; ++i)
    samples.push_back(static_cast<std::int16_t>(i * 37 % 65536 - 32768));
  const Waveform wave = read_bytes(wav_bytes(1, 22050, samples));
  write_wav(folder / "copy.wav", wave);
  EXPECT_EQ(read_audio(folder / "copy.wav").samples, wave.samples);
  EXPECT_EQ(read_file(folder / "copy.wav", 1 << 20), wav_bytes(1, 22050, samples));
}

TEST(AudioFile, WrittenFloatKeepsPeaksAboveOne) {
  const TempFolder folder;
  const Waveform wave = sine(100, 0.2, 8000, 1.6e4);
  write_wav(folder / "loud.wav", wave, SampleFormat::kFloat);
  EXPECT_EQ(read_audio(folder / "loud.wav").samples, wave.samples);
}

TEST(AudioFile, WrittenInt16Clips) {
  const TempFolder folder;
  write_wav(folder / "loud.wav", sine(100, 0.2, 8000, 3));
  const Waveform wave = read_audio(folder / "loud.wav");
  EXPECT_EQ(wave.samples.minCoeff(), -1.0f);
  EXPECT_EQ(wave.samples.maxCoeff(), 32767.0f / 32768.0f);
}

TEST(AudioFile, PipeIsRead) {
  const TempFolder folder;
  const std::filesystem::path pipe = folder / "pipe.wav";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string bytes = wav_bytes(1, 16000, std::vector<std::int16_t>(40000, 5));
  std::jthread writer([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
  EXPECT_EQ(read_audio(pipe).samples.size(), 40000);
}

TEST(AudioFile, NameDoesNotDecideTheFormat) {
  const TempFolder folder;
  const std::string bytes = wav_bytes(1, 16000, std::vector<std::int16_t>(4000, 5));
  for (const char* name : {"a.mp3", "a.vox", "a.au", "a.gsm", "a.raw", "a"}) {
    write_file(folder / name, bytes);
    EXPECT_EQ(read_audio(folder / name).samples.size(), 4000) << name;
  }
  for (const char* name : {"b.vox", "b.au", "b.gsm", "b.raw", "b.snd"}) {
    write_file(folder / name, bytes.substr(44));
    EXPECT_THAT(error_of([&] { read_audio(folder / name); }), HasSubstr("found unknown content"));
  }
}

// Programs that write to a pipe cannot know the size and put the largest number there.
TEST(AudioFile, HeaderCountsAreNotTrusted) {
  const std::string good = wav_bytes(1, 16000, std::vector<std::int16_t>(4000, 5));
  for (const std::uint32_t claimed : {0x7fffffffu, 0x7ffff000u, 0xfffffff0u, 0xffffffffu}) {
    std::string bytes = good;
    put(bytes, 4, claimed);
    put(bytes, 40, claimed);
    EXPECT_EQ(read_bytes(bytes).samples.size(), 4000) << claimed;
  }
  EXPECT_EQ(read_bytes(good.substr(0, 44 + 2 * 3000)).samples.size(), 3000);
}

TEST(AudioFile, RefusesWhatIsNoFile) {
  const TempFolder folder;
  EXPECT_THAT(error_of([&] { read_audio(folder / "none.wav"); }),
              MatchesRegex(".*none.wav: expected an audio file, found: No such file or directory"));
  EXPECT_THAT(error_of([&] { read_audio(folder / ""); }),
              MatchesRegex(".*: expected an audio file, found a folder"));
  EXPECT_THAT(error_of([&] { read_audio("/dev/null"); }),
              "/dev/null: expected an audio file, found a device");
  write_file(folder / "empty.wav", "");
  EXPECT_THAT(error_of([&] { read_audio(folder / "empty.wav"); }),
              MatchesRegex(".*empty.wav: expected an audio file, found an empty one"));
}

TEST(AudioFile, RefusesAnUnreadableFile) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every file";
  const TempFolder folder;
  write_file(folder / "secret.wav", "RIFF");
  std::filesystem::permissions(folder / "secret.wav", std::filesystem::perms::none);
  EXPECT_THAT(error_of([&] { read_audio(folder / "secret.wav"); }),
              HasSubstr("expected a readable file, found: Permission denied"));
}

TEST(AudioFile, RefusesHeaderOnlyAndTooShort) {
  EXPECT_EQ(refusal(wav_bytes(1, 16000, {})),
            "clip.wav: expected sound, found a header without any frame");
  EXPECT_EQ(refusal(wav_bytes(1, 16000, std::vector<std::int16_t>(1599, 1))),
            "clip.wav: expected at least 0.1 s of sound, found 0.0999 s (1599 frames at 16000 Hz)");
  EXPECT_EQ(read_bytes(wav_bytes(1, 16000, std::vector<std::int16_t>(1600, 1))).samples.size(),
            1600);
}

TEST(AudioFile, RefusesSamplesThatAreNotFinite) {
  const TempFolder folder;
  write_wav(folder / "float.wav", sine(100, 5, 16000), SampleFormat::kFloat);
  const std::string good = read_file(folder / "float.wav", 1 << 20);
  for (const auto& [value, found] : {std::pair{std::numeric_limits<float>::quiet_NaN(), "nan"},
                                     std::pair{std::numeric_limits<float>::infinity(), "inf"},
                                     std::pair{-std::numeric_limits<float>::infinity(), "-inf"}}) {
    std::string bytes = good;
    put(bytes, 44 + 4 * 64000, value);
    EXPECT_EQ(refusal(bytes), std::string("clip.wav: expected finite samples, found ") + found +
                                  " at frame 64000 (4.000 s)");
  }
}

TEST(AudioFile, RefusesAbsurdLayouts) {
  const std::vector<std::int16_t> samples(4000, 1);
  EXPECT_THAT(refusal(wav_bytes(1, 999, samples)),
              "clip.wav: expected a sampling rate of 1000 to 400000 Hz, found 999 Hz");
  EXPECT_THAT(refusal(wav_bytes(1, 400001, samples)), HasSubstr("found 400001 Hz"));
  EXPECT_THAT(refusal(wav_bytes(65, 16000, samples)),
              "clip.wav: expected 1 to 64 channels, found 65");
  EXPECT_THAT(refusal(wav_bytes(0, 16000, samples)), HasSubstr("clip.wav: expected "));
  EXPECT_THAT(refusal(wav_bytes(1000, 16000, samples)), HasSubstr("clip.wav: expected "));
  EXPECT_THAT(refusal(wav_bytes(65535, 16000, samples)), HasSubstr("clip.wav: expected "));
  EXPECT_THAT(refusal(wav_bytes(1, 0, samples)), HasSubstr("clip.wav: expected "));
  EXPECT_THAT(refusal(wav_bytes(1, 4000000000u, samples)), HasSubstr("clip.wav: expected "));
}

TEST(AudioFile, RefusesOtherContentWithAHint) {
  EXPECT_EQ(refusal("a,b\n1,2\n"),
            "clip.wav: expected WAV, AIFF, AU, CAF, FLAC, Ogg, MP3 or NIST SPHERE, found text;"
            " `ffmpeg -i IN OUT.wav` may convert it");
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:5e\nsize 9\n"),
              EndsWith("found a Git LFS pointer (`git lfs pull` fetches the recording)"));
  using namespace std::string_literals;
  EXPECT_THAT(refusal("\0\0\0\x20"
                      "ftypM4A \0\0\0\0"s),
              HasSubstr("found an MP4 or M4A file"));
  EXPECT_THAT(refusal("\x1a\x45\xdf\xa3\1\0\0\0\0\0\0\x1f"s),
              HasSubstr("found a Matroska or WebM file"));
  EXPECT_THAT(refusal("#!AMR\n\x0c\0\0\0\0\0\0"s), HasSubstr("found an AMR file"));
  EXPECT_THAT(refusal("fLaC and nothing after"s), HasSubstr("found a damaged FLAC file"));
  EXPECT_THAT(refusal("\x80\3\0\0\0\0\0\0{\"features"s),
              testing::EndsWith("found a feature file of ser-extract"));
  EXPECT_THAT(refusal("PK\3\4\x14\0\0\0"s), testing::EndsWith("(unpack it, or save it as CSV)"));
  EXPECT_THAT(refusal("\0\1\2\3"s), HasSubstr("found unknown content"));
}

TEST(AudioFile, APipeOfTextIsNotReadToAnEndThatItMayNotHave) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text(4096, 'y');
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), 4096);
  EXPECT_THAT(error_of([&] { AudioReader(ends[0], "pipe"); }),
              MatchesRegex("pipe: expected WAV.*found text; .*"));
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace ser
