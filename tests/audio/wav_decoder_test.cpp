#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "audio/decoder.h"
#include "audio/encoded.h"
#include "ser/audio/audio_file.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

Waveform loud_noise() { return {Eigen::VectorXf::Random(70'001), 16000}; }

ByteSource source_of(const std::string& bytes) {
  return ByteSource(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

/// All samples, read in blocks of an odd size.
std::vector<float> samples_of(Decoder& decoder) {
  std::vector<float> all, block(4097);
  while (const std::int64_t got = decoder.read(block))
    all.insert(all.end(), block.begin(), block.begin() + got * decoder.num_channels());
  return all;
}

TEST(WavDecoder, EveryEncodingIsWhatLibsndfileMakesOfIt) {
  for (const int encoding : {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32,
                             SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE}) {
    const std::string bytes = encoded(loud_noise(), SF_FORMAT_WAV | encoding);
    ByteSource source = source_of(bytes), again = source_of(bytes);
    PartFile file(source, {0, source.size()}), other(again, {0, again.size()});
    const auto own = open_wav(file), reference = open_sndfile(other);
    ASSERT_TRUE(own && reference) << encoding;
    EXPECT_EQ(own->sample_rate_hz(), 16000);
    EXPECT_EQ(own->header_frames(), 70'001);
    EXPECT_EQ(samples_of(*own), samples_of(*reference)) << encoding;
    EXPECT_FALSE(own->failed());
  }
}

TEST(WavDecoder, LeavesWhatIsNotPlainToLibsndfile) {
  const std::string plain = encoded(loud_noise(), SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  std::map<std::string, std::string> files = {
      {"A-law", encoded(loud_noise(), SF_FORMAT_WAV | SF_FORMAT_ALAW)},
      {"extensible", encoded(loud_noise(), SF_FORMAT_WAVEX | SF_FORMAT_PCM_16)},
      {"big endian", encoded(loud_noise(), SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG)},
      {"FLAC", encoded(loud_noise(), SF_FORMAT_FLAC | SF_FORMAT_PCM_16)},
      {"cut in its header", plain.substr(0, 40)},
      {"12 bits", plain}};
  files["12 bits"][34] = 12;
  for (const auto& [name, bytes] : files) {
    ByteSource source = source_of(bytes);
    PartFile file(source, {0, source.size()});
    EXPECT_EQ(open_wav(file), nullptr) << name;
    EXPECT_EQ(file.position(), 0) << name;
  }
}

TEST(WavDecoder, SaysThatAFileShrankMeanwhile) {
  const TempFolder folder;
  const std::filesystem::path path = folder / "clip.wav";
  write_wav(path, loud_noise());
  ByteSource source(path);
  PartFile file(source, {0, source.size()});
  const auto decoder = open_wav(file);
  std::filesystem::resize_file(path, 1000);
  EXPECT_EQ(samples_of(*decoder).size(), (1000 - 44) / 2);
  EXPECT_TRUE(decoder->failed());
}

}  // namespace
}  // namespace ser
