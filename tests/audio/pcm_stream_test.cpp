#include "ser/audio/pcm_stream.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "ser/audio/audio_file.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/wav.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

template <typename Number>
std::string raw_bytes(Number number) {
  std::string text(sizeof number, '\0');
  std::memcpy(text.data(), &number, sizeof number);
  return text;
}

/// A "fmt " chunk.
std::string format_chunk(int tag, int channels, int rate, int bits) {
  const int frame = channels * bits / 8;
  return "fmt " + little_endian(16, 4) + little_endian(tag, 2) + little_endian(channels, 2) +
         little_endian(rate, 4) + little_endian(rate * frame, 4) + little_endian(frame, 2) +
         little_endian(bits, 2);
}

/// A WAV stream whose sizes are unknown.
std::string wav_stream(const std::string& chunks, const std::string& data) {
  return "RIFF" + little_endian(0xFFFFFFFF, 4) + "WAVE" + chunks + "data" + little_endian(0, 4) +
         data;
}

/// Hands `bytes` out, `step` at a time.
PcmStream::Read reader_of(std::string bytes, std::size_t step = 1 << 20) {
  return [bytes = std::move(bytes), step, at = std::size_t{0}](std::span<std::byte> out) mutable {
    const std::size_t count = std::min({step, out.size(), bytes.size() - at});
    std::memcpy(out.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

std::vector<float> all_of(PcmStream stream) {
  std::vector<float> samples;
  for (auto block = stream.next_block(); !block.empty(); block = stream.next_block())
    samples.insert(samples.end(), block.begin(), block.end());
  return samples;
}

std::vector<float> decoded(PcmEncoding encoding, const std::string& bytes) {
  return all_of(PcmStream(reader_of(bytes), "stream", {encoding, 8000, 1}));
}

TEST(PcmStream, ScalesEveryEncodingByItsFullRange) {
  EXPECT_THAT(decoded(PcmEncoding::kUint8, std::string("\x00\x80\xC0", 3)),
              ElementsAre(-1, 0, 0.5f));
  EXPECT_THAT(decoded(PcmEncoding::kInt16, little_endian(0x8000, 2) + little_endian(0x4000, 2)),
              ElementsAre(-1, 0.5f));
  EXPECT_THAT(decoded(PcmEncoding::kInt24, little_endian(0x800000, 3) + little_endian(0x200000, 3)),
              ElementsAre(-1, 0.25f));
  EXPECT_THAT(decoded(PcmEncoding::kInt32, little_endian(0x80000000, 4)), ElementsAre(-1));
  EXPECT_THAT(decoded(PcmEncoding::kFloat32, raw_bytes(0.3f)), ElementsAre(0.3f));
  EXPECT_THAT(decoded(PcmEncoding::kFloat64, raw_bytes(-1.5)), ElementsAre(-1.5f));
}

TEST(PcmStream, ReadsWhatAFileReaderReadsHoweverItsBytesCome) {
  const TempFolder folder;
  const Waveform wave{Eigen::VectorXf::Random(5000), 16000};
  write_wav(folder / "x.wav", wave);
  std::ifstream file(folder / "x.wav", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const Waveform expected = read_audio(folder / "x.wav");
  for (const std::size_t step : {1, 7, 4096, 100000}) {
    PcmStream stream(reader_of(bytes, step), "stream");
    EXPECT_EQ(stream.format().sample_rate_hz, 16000);
    const std::vector<float> samples = all_of(std::move(stream));
    ASSERT_EQ(samples.size(), 5000u) << step;
    EXPECT_TRUE(std::equal(samples.begin(), samples.end(), expected.samples.begin())) << step;
  }
}

TEST(PcmStream, AveragesChannelsAndDropsAFrameCutInTwo) {
  const std::string data = little_endian(0x4000, 2) + little_endian(0, 2) +
                           little_endian(0xC000, 2) + little_endian(0xC000, 2) + "\x01";
  EXPECT_THAT(all_of(PcmStream(reader_of(wav_stream(format_chunk(1, 2, 8000, 16), data), 3), "s")),
              ElementsAre(0.25f, -0.5f));
}

TEST(PcmStream, PassesOverOtherChunksAndUnderstandsTheExtensibleForm) {
  const std::string list = "LIST" + little_endian(3, 4) + "abc" + '\0';
  const std::string plain = format_chunk(0xFFFE, 1, 8000, 32);
  const std::string extensible = "fmt " + little_endian(40, 4) + plain.substr(8) +
                                 little_endian(22, 2) + little_endian(32, 2) + little_endian(4, 4) +
                                 little_endian(3, 2) + std::string(14, 'g');
  const std::string unpadded = list.substr(0, list.size() - 1);
  for (const std::string& odd : {list, unpadded, unpadded + unpadded})
    EXPECT_THAT(
        all_of(PcmStream(reader_of(wav_stream(odd + extensible + odd, raw_bytes(0.5f))), "s")),
        ElementsAre(FloatEq(0.5f)));
}

/// A stream whose header tells the size of its sound.
std::string told_stream(std::uint32_t told, const std::string& data) {
  std::string bytes = wav_stream(format_chunk(1, 1, 8000, 16), data);
  return bytes.replace(40, 4, little_endian(told, 4));
}

TEST(PcmStream, ChunksBehindTheSoundAreNoSound) {
  const std::string sound(2000, '\1');
  const std::string list = "LIST" + little_endian(12, 4) + "INFOISFTabcd";
  for (const std::size_t step : {1, 7, 1 << 20}) {
    const auto count = [&](const std::string& bytes) {
      return all_of(PcmStream(reader_of(bytes, step), "s")).size();
    };
    EXPECT_EQ(count(told_stream(2000, sound + list)), 1000u);
    EXPECT_EQ(count(told_stream(1999, sound.substr(1) + '\0' + list)), 999u) << "padded";
    EXPECT_EQ(count(told_stream(0, list)), 0u) << "no sound at all";
  }
}

/// What is told of a stream, read to its end.
std::vector<std::string> notices_of(const std::string& bytes) {
  PcmStream stream(reader_of(bytes), "s");
  while (!stream.next_block().empty()) continue;
  return stream.notices();
}

TEST(PcmStream, GoesOnInTheNextChunkOfSoundAndInFilesJoinedToIt) {
  const std::string sound(2000, '\1'), list = "LIST" + little_endian(12, 4) + "INFOISFTabcd";
  const std::string more = "data" + little_endian(2000, 4) + sound;
  for (const std::size_t step : {1, 7, 1 << 20}) {
    const auto count = [&](const std::string& bytes) {
      return all_of(PcmStream(reader_of(bytes, step), "s")).size();
    };
    EXPECT_EQ(count(told_stream(2000, sound + more)), 2000u);
    EXPECT_EQ(count(told_stream(0, more + list)), 1000u);
    EXPECT_EQ(count(told_stream(2000, sound + list + more + list)), 2000u);
    EXPECT_EQ(count(told_stream(2000, sound + told_stream(2000, sound))), 2000u);
    EXPECT_EQ(count(told_stream(2000, sound + list + told_stream(0, sound))), 2000u);
  }
  EXPECT_THAT(notices_of(told_stream(2000, sound + more)), IsEmpty());
}

TEST(PcmStream, TellsWhatIsMissingOrLeftUnread) {
  const std::string sound(16000, '\1');
  EXPECT_THAT(notices_of(told_stream(20000, sound)),
              ElementsAre("breaks off: 4000 of the bytes of sound that its header tells of are "
                          "missing"));
  const std::string other = "RIFF" + little_endian(36, 4) + "WAVE" + format_chunk(1, 1, 44100, 16) +
                            "data" + little_endian(16000, 4) + sound;
  EXPECT_THAT(notices_of(told_stream(16000, sound + other)),
              ElementsAre(HasSubstr("another file joined to it (1 channels at 44100 Hz)")));
  std::string large = other;
  large.replace(0, 4, "RF64");
  EXPECT_THAT(notices_of(told_stream(16000, sound + large)),
              ElementsAre(HasSubstr("another file joined to it (1 channels at 44100 Hz)")));
  for (const std::size_t bytes : {12, 20, 30}) {
    const std::string cut = told_stream(16000, sound + other.substr(0, bytes));
    EXPECT_THAT(notices_of(cut), ElementsAre(HasSubstr("(whose header cannot be read)"))) << bytes;
    EXPECT_EQ(all_of(PcmStream(reader_of(cut, 100), "s")).size(), 8000u);
  }
}

TEST(PcmStream, JunkBehindFloatsEndsTheSoundAndIsTold) {
  std::string sound;
  for (int i = 0; i < 1000; ++i) sound += raw_bytes(0.001f * static_cast<float>(i));
  const std::string stream = "RIFF" + little_endian(4036, 4) + "WAVE" +
                             format_chunk(3, 1, 8000, 32) + "data" + little_endian(4000, 4) + sound;
  PcmStream junk(reader_of(stream + std::string(300, '\xff'), 700), "stream");
  std::size_t samples = 0;
  for (auto block = junk.next_block(); !block.empty(); block = junk.next_block())
    samples += block.size();
  EXPECT_EQ(samples, 1000u);
  EXPECT_THAT(junk.notices(), ElementsAre("left unread behind 0.1 s: what is no sound"));
  EXPECT_EQ(all_of(PcmStream(reader_of(stream + sound), "stream")).size(), 2000u);
}

TEST(PcmStream, AnOldSizeDoesNotEndTheSound) {
  const std::string sound(2000, '\1');
  for (const std::uint32_t told : {0u, 400u, 401u, 0x7FFFFFFFu, 0xFFFFFFFFu})
    for (const std::size_t step : {1, 7, 1 << 20})
      EXPECT_EQ(all_of(PcmStream(reader_of(told_stream(told, sound), step), "s")).size(), 1000u)
          << told << " " << step;
}

TEST(PcmStream, AnRf64StreamEndsWhereItsLargeSizeSays) {
  const std::string sound(2000, '\1'),
      behind = "LIST" + little_endian(400, 4) + std::string(400, 1);
  const auto stream = [&](std::uint64_t told) {
    return "RF64" + little_endian(0xFFFFFFFF, 4) + "WAVEds64" + little_endian(28, 4) +
           little_endian(2500, 8) + little_endian(told, 8) + little_endian(1000, 8) +
           little_endian(0, 4) + format_chunk(1, 1, 8000, 16) + "data" +
           little_endian(0xFFFFFFFF, 4) + sound + behind;
  };
  EXPECT_EQ(all_of(PcmStream(reader_of(stream(2000)), "s")).size(), 1000u);
  EXPECT_GT(all_of(PcmStream(reader_of(stream(0)), "s")).size(), 1000u) << "of unknown size";
}

TEST(PcmStream, MayEndAfterItsHeader) {
  EXPECT_THAT(all_of(PcmStream(reader_of(wav_stream(format_chunk(1, 1, 8000, 16), "")), "s")),
              IsEmpty());
}

TEST(PcmStream, SaysWhatIsWrongWithAHeader) {
  const auto open = [](const std::string& bytes) { return PcmStream(reader_of(bytes), "pipe"); };
  EXPECT_ERROR(open(""), HasSubstr("pipe: expected the header of a WAV stream, found the end"));
  EXPECT_ERROR(open("fLaC and something else"),
               AllOf(HasSubstr("pipe: expected a WAV stream"), HasSubstr("--raw-rate"),
                     HasSubstr("found a FLAC file; `ffmpeg")));
  EXPECT_ERROR(open("RIFF1234WAVE" + format_chunk(1, 1, 8000, 16)), HasSubstr("expected a chunk"));
  EXPECT_ERROR(open(wav_stream("", "")), HasSubstr("expected a WAV format chunk before the sound"));
  EXPECT_ERROR(open(wav_stream("fmt " + little_endian(4, 4) + "abcd", "")),
               HasSubstr("at least 16 bytes, found 4"));
  EXPECT_ERROR(open(wav_stream("LIST" + little_endian(2000000000, 4), "")),
               HasSubstr("found 2000000000"));
  EXPECT_ERROR(open(wav_stream(format_chunk(7, 1, 8000, 8), "")),
               HasSubstr("found format 7 with 8 bits"));
  EXPECT_ERROR(open(wav_stream(format_chunk(1, 0, 8000, 16), "")), HasSubstr("channels, found 0"));
  EXPECT_ERROR(open(wav_stream(format_chunk(1, 1, 10, 16), "")), HasSubstr("found 10 Hz"));
  std::string odd = format_chunk(1, 2, 8000, 16);
  odd[20] = 5;
  EXPECT_ERROR(open(wav_stream(odd, "")), HasSubstr("expected 4 bytes a frame"));
}

TEST(PcmStream, RefusesRawRatesOutOfBounds) {
  EXPECT_ERROR(PcmStream(reader_of(""), "pipe", {PcmEncoding::kInt16, 1, 1}),
               HasSubstr("pipe: expected a sampling rate"));
}

TEST(PcmStream, RefusesSamplesThatAreNotFinite) {
  const std::string data = raw_bytes(0.f) + raw_bytes(std::numeric_limits<float>::quiet_NaN());
  EXPECT_ERROR(decoded(PcmEncoding::kFloat32, data), HasSubstr("expected finite samples"));
}

}  // namespace
}  // namespace ser
