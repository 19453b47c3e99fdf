#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "audio/signals.h"
#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/rng.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

/// What reading a file gives: rate and frames, or a message that matches `refusal`.
struct Expectation {
  const char* file;
  int rate_hz;
  Eigen::Index frames;
  const char* refusal = nullptr;
};

constexpr const char* kShort = ": expected at least 0.1 s of sound, found 0\\.0.* s";
constexpr const char* kDamagedWav =
    "found a WAV file that is damaged or of an unknown coding.*ffmpeg";

const Expectation kExpectations[] = {
    {"formats/01 - changing samplerate.flac", 32000, 555747},
    {"formats/32bit-48kHz-noBext-mono.wav", 48000, 48000},
    {"formats/48k-mono.ogg", 48000, 515234},
    {"formats/4bit-imaadpcm-8kHz-noBext-mono-encoded.wav", 8000, 47470},
    {"formats/8bit-mulaw-8kHz-noBext-mono-encoded.wav", 8000, 48000},
    {"formats/OSR_us_000_0060_8k.wav", 8000, 466063},
    {"formats/RF64-16bit-8kHz-stereo-reaper.wav", 8000, 77499},
    {"formats/RIFX-16bit-mono.wav", 8000, 48000},
    {"formats/format_test.m4a", 0, 0, "found an MP4 or M4A file; `ffmpeg -i IN OUT.wav`"},
    {"formats/he_48khz.mp3", 48000, 172800},
    {"formats/id3tags.mp3", 0, 0, "found an MP3 file without readable sound"},
    {"formats/jfk.wav", 16000, 176000},
    {"formats/owl.mp3", 44100, 146927},
    {"formats/vbr-head.mp3", 44100, 43823},
    {"formats/video.ogg", 0, 0, "found an Ogg file without Vorbis, Opus, Speex or FLAC sound"},
    {"broken/1062_WSI_FEA_XX.wav", 0, 0,
     "found a Git LFS pointer .`git lfs pull` fetches the recording.$"},
    {"broken/flac/01 - wrong max blocksize.flac", 24000, 101999},
    {"broken/flac/04 - wrong number of channels.flac", 0, 0,
     "expected the 97391 frames of its header, found none that decodes"},
    {"broken/flac/06 - missing streaminfo metadata block.flac", 0, 0, "found a damaged FLAC file"},
    {"broken/scipy/test-1234Hz-le-1ch-10S-20bit-extra.wav", 0, 0, kShort},
    {"broken/scipy/test-44100Hz-2ch-32bit-float-be.wav", 0, 0, kShort},
    {"broken/scipy/test-44100Hz-2ch-32bit-float-le.wav", 0, 0, kShort},
    {"broken/scipy/test-44100Hz-be-1ch-4bytes.wav", 44100, 4410},
    {"broken/scipy/test-44100Hz-le-1ch-4bytes-early-eof-no-data.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-44100Hz-le-1ch-4bytes-early-eof.wav", 0, 0, kShort},
    {"broken/scipy/test-44100Hz-le-1ch-4bytes-incomplete-chunk.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-44100Hz-le-1ch-4bytes-rf64.wav", 44100, 4410},
    {"broken/scipy/test-44100Hz-le-1ch-4bytes.wav", 44100, 4410},
    {"broken/scipy/test-48000Hz-2ch-64bit-float-le-wavex.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-be-3ch-5S-24bit.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-1ch-1byte-ulaw.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-2ch-1byteu.wav", 8000, 800},
    {"broken/scipy/test-8000Hz-le-3ch-5S-24bit-inconsistent.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-3ch-5S-24bit-rf64.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-3ch-5S-24bit.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-3ch-5S-36bit.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-8000Hz-le-3ch-5S-45bit.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-8000Hz-le-3ch-5S-53bit.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-8000Hz-le-3ch-5S-64bit.wav", 0, 0, kDamagedWav},
    {"broken/scipy/test-8000Hz-le-4ch-9S-12bit.wav", 0, 0, kShort},
    {"broken/scipy/test-8000Hz-le-5ch-9S-5bit.wav", 0, 0, kShort},
    {"broken/test1_empty.wav", 0, 0, "expected sound, found a header without any frame"},
    {"broken/wrong_extension.aac", 0, 0, "found an MP4 or M4A file"},
    // AIFF under a .wav name, as upstream has it.
    {"corpora/TESS/YAF_angry/YAF_germ_angry.wav", 24414, 53847},
    {"corpora/TESS/YAF_fear/YAF_neat_fear.wav", 24414, 40156},
};

std::filesystem::path audio_folder() { return test_data() / "audio"; }

class AudioFormats : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(audio_folder()))
      GTEST_SKIP() << "no recordings in " << audio_folder();
  }
};

TEST_F(AudioFormats, EveryFileOpensOrIsRefusedInOneSentence) {
  for (const Expectation& expected : kExpectations) {
    const std::filesystem::path path = audio_folder() / expected.file;
    if (expected.refusal) {
      const std::string message = error_of([&] { read_audio(path); });
      EXPECT_THAT(message, testing::StartsWith(path.string() + ": expected "));
      EXPECT_THAT(message, testing::ContainsRegex(expected.refusal));
      continue;
    }
    const Waveform wave = read_audio(path);
    EXPECT_EQ(wave.sample_rate_hz, expected.rate_hz) << expected.file;
    EXPECT_EQ(wave.samples.size(), expected.frames) << expected.file;
    EXPECT_TRUE(wave.samples.allFinite()) << expected.file;
  }
}

TEST_F(AudioFormats, NothingIsSaidOfWholeFiles) {
  for (const char* file : {"he_48khz.mp3", "owl.mp3", "48k-mono.ogg", "jfk.wav",
                           "4bit-imaadpcm-8kHz-noBext-mono-encoded.wav", "RIFX-16bit-mono.wav"}) {
    AudioReader reader(audio_folder() / "formats" / file);
    read_audio(reader);
    EXPECT_THAT(reader.notices(), testing::IsEmpty()) << file;
  }
}

TEST_F(AudioFormats, TableNamesEveryFile) {
  std::set<std::filesystem::path> named;
  for (const Expectation& expected : kExpectations) named.insert(audio_folder() / expected.file);
  for (const char* folder : {"formats", "broken"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(audio_folder() / folder)) {
      const bool listed = !entry.is_regular_file() || named.contains(entry.path());
      EXPECT_TRUE(listed) << entry.path();
    }
  }
}

TEST_F(AudioFormats, MemoryAndWrongNamesGiveTheSameSamples) {
  const TempFolder folder;
  for (const char* file : {"he_48khz.mp3", "owl.mp3", "48k-mono.ogg",
                           "RF64-16bit-8kHz-stereo-reaper.wav", "01 - changing samplerate.flac"}) {
    const std::filesystem::path path = audio_folder() / "formats" / file;
    const Eigen::VectorXf samples = read_audio(path).samples;
    const std::string bytes = read_file(path, 1 << 24);
    EXPECT_EQ(read_audio(std::as_bytes(std::span(bytes)), "stdin").samples, samples) << file;
    write_file(folder / "clip.wav", bytes);
    EXPECT_EQ(read_audio(folder / "clip.wav").samples, samples) << file;
  }
}

TEST_F(AudioFormats, StreamThatBreaksOffIsRefused) {
  std::string bytes = read_file(audio_folder() / "formats/owl.mp3", 1 << 24);
  Rng rng(1, 0);
  for (std::size_t i = 30000; i < 40000; ++i) bytes[i] = static_cast<char>(rng.below(255));
  EXPECT_THAT(error_of([&] { read_audio(std::as_bytes(std::span(bytes)), "owl.mp3"); }),
              testing::ContainsRegex(
                  "owl.mp3: expected sound to its end, found a decoding error at 1\\.[0-9]+ s"));
}

}  // namespace
}  // namespace ser
