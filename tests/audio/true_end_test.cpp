// Sound is read to its true end, whatever a header tells, and what is not read is told.
#include <gmock/gmock.h>

#include "audio/encoded.h"
#include "audio/number_bytes.h"
#include "audio/signals.h"
#include "ser/audio/audio_file.h"
#include "ser/core/rng.h"
#include "support/errors.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Heard {
  Waveform wave;
  std::vector<std::string> notices;
};

Heard hear(const std::string& bytes) {
  AudioReader reader(std::as_bytes(std::span(bytes)), "clip");
  Waveform wave = read_audio(reader);
  return {wave, reader.notices()};
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

std::string wav(int frames = 8000) {
  std::vector<std::int16_t> samples;
  for (int i = 0; i < frames; ++i) samples.push_back(static_cast<std::int16_t>(i % 997 - 500));
  return wav_bytes(1, kRateHz, samples);
}

std::string chunk(const std::string& name, const std::string& content) {
  std::string bytes = name + std::string(4, '\0') + content;
  put(bytes, 4, static_cast<std::uint32_t>(content.size()));
  return bytes + std::string(content.size() % 2, '\0');
}

/// Noise that grows from silence: a bit rate that varies, and is lowest in the first frame.
Waveform growing_noise(double duration_s, int rate_hz) {
  Rng rng(1, 0);
  Waveform wave{Eigen::VectorXf(std::lround(duration_s * rate_hz)), rate_hz};
  for (Eigen::Index i = 0; i < wave.samples.size(); ++i)
    wave.samples[i] = static_cast<float>(0.2 * rng.normal() * static_cast<double>(i) /
                                         static_cast<double>(wave.samples.size()));
  return wave;
}

std::string vbr_mp3(double duration_s = 10) {
  return encoded(growing_noise(duration_s, 44100), SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.4);
}

/// Without its first frame, which counts the others. Layer III of MPEG 1 at 44,100 Hz.
std::string without_count(const std::string& mp3) {
  constexpr int kKbit[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  EXPECT_LT(mp3.substr(0, 200).find("Xing"), 200u);
  const auto third = static_cast<unsigned char>(mp3[2]);
  return mp3.substr(
      static_cast<std::size_t>(144000 * kKbit[third >> 4] / 44100 + (third >> 1 & 1)));
}

TEST(TrueEnd, AWavFileThatWasNeverClosedIsReadToTheEnd) {
  const Heard whole = hear(wav());
  ASSERT_EQ(whole.wave.samples.size(), 8000);
  for (const std::uint32_t riff : {0u, 36u, 4088u, 0xFFFFFFFFu})
    for (const std::uint32_t data : {0u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      std::string bytes = wav();
      put(bytes, 4, riff);
      put(bytes, 40, data);
      const Heard heard = hear(bytes);
      EXPECT_EQ(heard.wave.samples, whole.wave.samples) << riff << " " << data;
      EXPECT_THAT(heard.notices, IsEmpty());
    }
}

TEST(TrueEnd, AnOldSizeIsCorrectedAndTold) {
  std::string bytes = wav();
  put(bytes, 4, std::uint32_t{4088});
  put(bytes, 40, std::uint32_t{4052});
  const Heard heard = hear(bytes);
  EXPECT_EQ(heard.wave.samples.size(), 8000);
  EXPECT_THAT(heard.notices, ElementsAre(HasSubstr("tells of 4052 bytes of sound, 16000 are")));
}

TEST(TrueEnd, ChunksBehindTheSoundAreNoSound) {
  for (const std::string& behind :
       {chunk("LIST", "INFOISFT"), chunk("id3 ", "abc") + chunk("_PMX", "x"),
        "TAG" + std::string(125, ' '), std::string(1, '\0')}) {
    const Heard heard = hear(wav() + behind);
    EXPECT_EQ(heard.wave.samples.size(), 8000);
    EXPECT_THAT(heard.notices, IsEmpty());
  }
  EXPECT_THAT(error_of([] { hear(wav(0) + chunk("LIST", std::string(9000, 'a'))); }),
              HasSubstr("found a header without any frame"));
}

TEST(TrueEnd, AWriterMayForgetTheByteBehindAnOddChunk) {
  const Heard whole = hear(wav());
  const std::string list = std::string("LIST\x3\0\0\0", 8) + "abc";
  for (const std::size_t at : {std::size_t{12}, std::size_t{36}})
    for (const std::string& odd : {list, list + '\0'}) {
      const Heard heard = hear(wav().insert(at, odd));
      EXPECT_EQ(heard.wave.samples, whole.wave.samples) << at << " " << odd.size();
      EXPECT_THAT(heard.notices, IsEmpty());
    }
  const Heard behind = hear(wav() + list + chunk("junk", "abcd"));
  EXPECT_EQ(behind.wave.samples, whole.wave.samples);
  EXPECT_THAT(behind.notices, IsEmpty());
}

TEST(TrueEnd, AFileThatBreaksOffSaysSo) {
  const Heard heard = hear(wav().substr(0, 44 + 8000));
  EXPECT_EQ(heard.wave.samples.size(), 4000);
  EXPECT_THAT(heard.notices,
              ElementsAre("breaks off: 8000 of the 16000 bytes of sound that its header tells of"));
}

/// Where a format keeps the size of its sound, as libsndfile writes it.
struct SizeCase {
  const char* name;
  int format;
  std::size_t at;
  int bytes;
  bool big_endian;
};

class TrueEndOf : public testing::TestWithParam<SizeCase> {};

TEST_P(TrueEndOf, UnknownAndOldSizesDoNotCount) {
  const SizeCase& format = GetParam();
  const Waveform wave = sine(200, 2, kRateHz);
  const std::string good = encoded(wave, format.format);
  const Heard whole = hear(good);
  EXPECT_NEAR(static_cast<double>(whole.wave.samples.size()), 32000, 600);
  EXPECT_THAT(whole.notices, IsEmpty());
  const std::uint64_t most = format.bytes == 4 ? 0xFFFFFFFF : ~std::uint64_t{0};
  for (const std::uint64_t size : {std::uint64_t{0}, most, std::uint64_t{5000}}) {
    std::string field = big_endian(size, format.bytes);
    if (!format.big_endian) std::reverse(field.begin(), field.end());
    std::string bytes = good;
    bytes.replace(format.at, field.size(), field);
    const Heard heard = hear(bytes);
    EXPECT_EQ(heard.wave.samples, whole.wave.samples) << size;
    EXPECT_EQ(heard.notices.size(), size == 5000 ? 1u : 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, TrueEndOf,
    testing::Values(SizeCase{"rifx", SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, 40, 4, true},
                    SizeCase{"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 28, 8, false},
                    SizeCase{"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 96, 8, false},
                    SizeCase{"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 42, 4, true},
                    SizeCase{"caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 4084, 8, true},
                    SizeCase{"au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 8, 4, true},
                    SizeCase{"ima_adpcm", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 56, 4, false},
                    SizeCase{"ms_adpcm", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, 86, 4, false}),
    [](const auto& of) { return of.param.name; });

TEST(TrueEnd, Mp3OfAVaryingBitRateWithoutACountIsReadToTheEnd) {
  const std::string mp3 = vbr_mp3();
  if (mp3.empty()) GTEST_SKIP() << "this libsndfile writes no MP3";
  const Heard heard = hear(without_count(mp3));
  EXPECT_NEAR(heard.wave.duration_s(), 10, 0.1);
  EXPECT_THAT(heard.notices, IsEmpty());
  // The sound itself is that of the file with its count, which tells the encoder's delay too.
  const Waveform whole = hear(mp3).wave;
  EXPECT_EQ(whole.samples.size(), 441000);
  const Eigen::Index delay = heard.wave.samples.size() - whole.samples.size();
  double best = 1;
  for (Eigen::Index shift = 0; shift <= delay; ++shift)
    best = std::min<double>(
        best, (heard.wave.samples.segment(shift, 441000) - whole.samples).cwiseAbs().maxCoeff());
  EXPECT_LT(best, 1e-4);
}

TEST(TrueEnd, TagsAroundMp3AreNoSound) {
  const std::string mp3 = vbr_mp3(2);
  if (mp3.empty()) GTEST_SKIP() << "this libsndfile writes no MP3";
  const std::string id3v2 = std::string("ID3\4\0\0\0\0\2\0", 10) + std::string(256, '\0');
  const std::string id3v1 = "TAG" + std::string(125, ' ');
  std::string ape = "APETAGEX" + std::string(24, '\0');
  put(ape, 12, std::uint32_t{32});
  for (const std::string& bytes : {mp3, without_count(mp3)}) {
    const Eigen::VectorXf samples = hear(bytes).wave.samples;
    for (const std::string& tagged : {id3v2 + bytes, bytes + id3v1, bytes + ape + id3v1}) {
      const Heard heard = hear(tagged);
      EXPECT_EQ(heard.wave.samples, samples);
      EXPECT_THAT(heard.notices, IsEmpty());
    }
  }
}

TEST(TrueEnd, AnMp3FileThatBreaksOffSaysSo) {
  const std::string mp3 = vbr_mp3();
  if (mp3.empty()) GTEST_SKIP() << "this libsndfile writes no MP3";
  const Heard heard = hear(mp3.substr(0, mp3.size() / 2));
  EXPECT_GT(heard.wave.duration_s(), 4);
  EXPECT_THAT(heard.notices, ElementsAre(testing::ContainsRegex(
                                 "^breaks off after [4-8]\\.[0-9] of the 10\\.0 s of its header")));
}

TEST(TrueEnd, FilesJoinedEndToEndAreReadOneAfterTheOther) {
  for (const int format :
       {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM,
        SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16,
        SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
        SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    const std::string one = encoded(sine(200, 2, kRateHz), format);
    const std::string two = encoded(sine(300, 1, kRateHz), format);
    if (one.empty()) continue;
    const Eigen::VectorXf first = hear(one).wave.samples, second = hear(two).wave.samples;
    const Heard heard = hear(one + two);
    ASSERT_EQ(heard.wave.samples.size(), first.size() + second.size()) << format;
    EXPECT_EQ(heard.wave.samples.head(first.size()), first);
    EXPECT_EQ(heard.wave.samples.tail(second.size()), second);
    EXPECT_THAT(heard.notices, IsEmpty());
  }
}

TEST(TrueEnd, AJoinedFileOfAnotherRateIsLeftAndTold) {
  const std::string other = encoded(sine(200, 2, 8000), SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  const Heard heard = hear(wav() + other);
  EXPECT_EQ(heard.wave.samples.size(), 8000);
  EXPECT_THAT(heard.notices,
              ElementsAre("left unread behind 0.5 s: 32044 bytes of another file joined to it (1 "
                          "channels at 8000 Hz)"));
  const Heard damaged = hear(wav() + other.substr(0, 12) + chunk("data", std::string(4000, 'x')));
  EXPECT_THAT(damaged.notices, ElementsAre(HasSubstr("a WAV file that is damaged")));
}

TEST(TrueEnd, SoundInSeveralChunksIsReadOneAfterTheOther) {
  const std::string whole = wav(8000);
  const std::string head = whole.substr(0, 36), sound = whole.substr(44);
  for (const std::string& bytes :
       {head + chunk("data", sound.substr(0, 6000)) + chunk("data", sound.substr(6000)),
        head + chunk("data", "") + chunk("data", sound),
        head + chunk("data", sound.substr(0, 6000)) + chunk("LIST", "INFO") +
            chunk("data", sound.substr(6000, 6000)) + chunk("data", sound.substr(12000)),
        "BW64" + whole.substr(4, 32) + chunk("data", sound.substr(0, 6000)) +
            chunk("data", sound.substr(6000))}) {
    const Heard heard = hear(bytes);
    EXPECT_EQ(heard.wave.samples, hear(whole).wave.samples);
    EXPECT_THAT(heard.notices, IsEmpty());
  }
}

TEST(TrueEnd, AFormatBehindTheSoundIsFound) {
  const Heard plain = hear(wav());
  const std::string bytes = wav(), start = bytes.substr(0, 12), format = bytes.substr(12, 24),
                    sound = bytes.substr(36);
  const std::string list = chunk("LIST", "INFOodd");
  std::string other = format;
  put(other, 12, std::uint32_t{8000});
  for (const std::string& mixed :
       {start + sound + format, start + list + sound + list + format + list,
        start + sound + format + other, start + format + sound + other}) {
    const Heard heard = hear(mixed);
    EXPECT_EQ(heard.wave.samples, plain.wave.samples);
    EXPECT_EQ(heard.wave.sample_rate_hz, kRateHz);
    EXPECT_THAT(heard.notices, IsEmpty());
  }
  EXPECT_ERROR(hear(start + sound), HasSubstr("damaged"));
}

TEST(TrueEnd, SoundInThousandsOfChunksIsReadAsFarAsItIsTold) {
  std::string bytes = wav(2000);
  for (int i = 0; i < 5000; ++i) bytes += chunk("data", "ab");
  const Heard heard = hear(bytes);
  EXPECT_GT(heard.wave.samples.size(), 6000);
  EXPECT_THAT(heard.notices, ElementsAre(HasSubstr("which begin with another chunk of sound")));
}

TEST(TrueEnd, TagsInFrontOfAnyFormatAreNoSound) {
  const std::string id3v2 = std::string("ID3\4\0\0\0\0\2\0", 10) + std::string(256, '\0');
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_RF64 | SF_FORMAT_PCM_16,
                           SF_FORMAT_W64 | SF_FORMAT_PCM_16, SF_FORMAT_CAF | SF_FORMAT_PCM_16,
                           SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_AU | SF_FORMAT_PCM_16,
                           SF_FORMAT_NIST | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                           SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS}) {
    const std::string bytes = encoded(sine(200, 1, kRateHz), format);
    const Heard heard = hear(id3v2 + bytes);
    EXPECT_EQ(heard.wave.samples, hear(bytes).wave.samples) << std::hex << format;
    EXPECT_THAT(heard.notices, IsEmpty());
  }
}

TEST(TrueEnd, LongTextsBehindTheSoundOfAiffAreNoSound) {
  const std::string aiff = encoded(sine(200, 1, kRateHz), SF_FORMAT_AIFF | SF_FORMAT_PCM_16);
  for (const char* name : {"NAME", "ANNO", "APPL"})
    for (const std::size_t bytes : {1000u, 20001u}) {
      std::string size(4, '\0');
      for (std::size_t i = 0; i < 4; ++i) size[i] = static_cast<char>(bytes >> (24 - 8 * i));
      const Heard heard = hear(aiff + name + size + std::string(bytes + bytes % 2, 'a'));
      EXPECT_EQ(heard.wave.samples, hear(aiff).wave.samples) << name << " " << bytes;
      EXPECT_THAT(heard.notices, IsEmpty());
    }
}

TEST(TrueEnd, AnRf64FileThatWasNeverClosedIsReadToTheEnd) {
  std::string bytes = encoded(sine(200, 1, kRateHz), SF_FORMAT_RF64 | SF_FORMAT_PCM_16);
  const Heard whole = hear(bytes);
  const std::size_t data = bytes.find("data", 80);
  for (const std::uint32_t size : {0u, 0xFFFFFFFFu}) {
    put(bytes, 4, size);
    put(bytes, data + 4, size);
    for (const std::size_t at : {20u, 28u, 36u}) put(bytes, at, std::uint64_t{0});  // in "ds64"
    const Heard heard = hear(bytes);
    EXPECT_EQ(heard.wave.samples, whole.wave.samples) << size;
    EXPECT_THAT(heard.notices, IsEmpty());
  }
}

TEST(TrueEnd, ADamagedPieceOfFlacIsTold) {
  const std::string good = encoded(sine(200, 20, kRateHz), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  int told = 0;
  for (std::size_t part = 10; part < 50; ++part) {
    std::string bytes = good;
    const std::size_t at = good.size() * part / 60;
    bytes[at] = static_cast<char>(~bytes[at]);
    try {
      const Heard heard = hear(bytes);
      EXPECT_THAT(heard.notices,
                  ElementsAre(testing::AnyOf(HasSubstr("sound is missing or silent there"),
                                             HasSubstr("of its header could be decoded"))));
      told += heard.notices[0].starts_with("damaged at about");
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("decoding error"));
    }
  }
  EXPECT_GT(told, 0);
}

TEST(TrueEnd, WhatDoesNotDecodeIsTold) {
  const Waveform wave = growing_noise(20, kRateHz);
  for (const int format : {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
                           SF_FORMAT_OGG | SF_FORMAT_OPUS}) {
    const std::string good = encoded(wave, format);
    EXPECT_THAT(hear(good).notices, IsEmpty());
    std::string damaged = good;
    for (std::size_t i = 0; i < 64; ++i) damaged[damaged.size() / 2 + i] ^= 0x55;
    EXPECT_THAT(hear(damaged).notices,
                ElementsAre(testing::ContainsRegex(
                    "^[0-9.]+ of the 20\\.0 s of its header could be decoded$")))
        << std::hex << format;
  }
  const std::string flac = encoded(wave, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  EXPECT_THAT(hear(flac.substr(0, flac.size() / 2)).notices,
              ElementsAre(HasSubstr("of the 20.0 s of its header could be decoded")));
}

TEST(TrueEnd, TagsBehindFlacAreNoDamage) {
  const std::string flac = encoded(growing_noise(2, kRateHz), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const auto ape = [](std::uint64_t flags) {
    return "APETAGEX" + to_bytes(2000, 4) + to_bytes(32 + 40, 4) + to_bytes(1, 4) +
           to_bytes(flags, 4) + std::string(8, '\0');
  };
  const auto id3v2 = [](const char* name, char flags) {
    return name + std::string{4, 0, flags, 0, 0, 0, 64};
  };
  const std::string id3v1 = "TAG" + std::string(125, 'x'), items(40, 'i'), frames(64, 't');
  for (const std::string& tags :
       {id3v1, items + ape(0), ape(5u << 29) + items + ape(1u << 31), items + ape(0) + id3v1,
        id3v2("ID3", 0) + frames, id3v2("ID3", 0x10) + frames + id3v2("3DI", 0x10)}) {
    const Heard heard = hear(flac + tags);
    EXPECT_THAT(heard.notices, IsEmpty()) << tags.substr(0, 8);
    EXPECT_EQ(heard.wave.samples, hear(flac).wave.samples);
  }
}

TEST(TrueEnd, LettersOfATagWithinFlacAreSound) {
  std::string flac = encoded(growing_noise(2, kRateHz), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const Eigen::VectorXf samples = hear(flac).wave.samples;
  const std::string letters = "ID3" + std::string{4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f};
  const char last = static_cast<char>(flac[4] & 0x80);  // of the blocks before the sound
  flac[4] = static_cast<char>(flac[4] & 0x7f);
  flac.insert(42, std::string{static_cast<char>(last | 1), 0, 0, 10} + letters);  // padding
  EXPECT_EQ(hear(flac).wave.samples, samples);
  EXPECT_THAT(hear(flac).notices, IsEmpty());
}

TEST(TrueEnd, ATagThatClaimsAnotherFileIsNone) {
  const std::string flac = encoded(growing_noise(2, kRateHz), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const std::string tag = "ID3" + std::string{4, 0, 0, 0, 0x7f, 0x7f, 0x7f};
  EXPECT_EQ(hear(flac + tag + flac).wave.samples.size(), 4 * kRateHz);
}

TEST(TrueEnd, AFileWithoutSoundIsNotSearchedForEver) {
  // libsndfile alone reads the sizes of this list's parts behind the end, again and again.
  const std::string lists =
      std::string(
          "RIFF\xf4\x07\0 WAVE|ft \x10\0\0\0\1\0\0@\x1f\0\1\0\x80H\0\0\2\0\x10\x80LIST\3\0\0E",
          44) +
      std::string("|ft \x10\0\0\0\1\0\0@iiichannel\x80LIST\3\xf8", 29) + std::string(83, '\xff') +
      std::string("\0\0aioun\xff\xff\xff\xffi", 12);
  EXPECT_ERROR(hear(lists), HasSubstr("found a WAV file that is damaged"));
  for (const int format : {SF_FORMAT_AIFF, SF_FORMAT_W64, SF_FORMAT_CAF, SF_FORMAT_RF64}) {
    std::string file = encoded(growing_noise(1, kRateHz), format | SF_FORMAT_PCM_16);
    const std::string name = format == SF_FORMAT_AIFF ? "SSND" : "data";
    file.replace(file.find(name), 4, "LIST");
    EXPECT_ERROR(hear(file), HasSubstr("expected")) << std::hex << format;
  }
}

TEST(TrueEnd, FilesOfAnySizeThatAreJoinedAreOne) {
  const std::string riff = encoded(growing_noise(1, kRateHz), SF_FORMAT_WAV | SF_FORMAT_PCM_16);
  const std::string rf64 = encoded(growing_noise(1, kRateHz), SF_FORMAT_RF64 | SF_FORMAT_PCM_16);
  for (const std::string& joined : {riff + rf64, rf64 + riff})
    EXPECT_EQ(hear(joined).wave.samples.size(), 2 * kRateHz);
}

TEST(TrueEnd, ASamplingRateThatChangesIsTold) {
  const std::string flac = encoded(growing_noise(8, kRateHz), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  EXPECT_THAT(hear(flac).notices, IsEmpty());
  std::string other = flac;  // of another rate than its frames, which begin behind it
  other[18] = static_cast<char>(8000 >> 12), other[19] = static_cast<char>(8000 >> 4 & 0xff);
  const Heard heard = hear(other);
  EXPECT_EQ(heard.wave.sample_rate_hz, 8000);
  EXPECT_THAT(heard.notices,
              ElementsAre("its sampling rate changes to 16000 Hz: read at 8000 Hz to its end"));
}

TEST(TrueEnd, AnOggFileCutInAPageSaysSo) {
  const std::string ogg = encoded(growing_noise(20, kRateHz), SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  const Heard heard = hear(ogg.substr(0, ogg.size() / 2));
  EXPECT_GT(heard.wave.duration_s(), 5);
  EXPECT_THAT(heard.notices, ElementsAre(HasSubstr("are missing from its last page")));
}

TEST(TrueEnd, AnOggFileCutBetweenPagesSaysSo) {
  const std::string ogg = encoded(growing_noise(20, kRateHz), SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  EXPECT_THAT(hear(ogg).notices, IsEmpty());
  const Heard heard = hear(ogg.substr(0, ogg.rfind("OggS")));
  EXPECT_GT(heard.wave.duration_s(), 5);
  EXPECT_THAT(heard.notices, ElementsAre("breaks off: the page that ends its sound is missing"));
}

TEST(TrueEnd, AStreamOfPicturesInAnOggFileNeedNotEnd) {
  const auto page = [](char kind, std::string_view packet) {
    std::string head("OggS\0\0\0\0\0\0\0\0\0\0pics\0\0\0\0\0\0\0\0\1\0", 28);
    head[5] = kind;
    head[27] = static_cast<char>(packet.size());
    return head + std::string(packet);
  };
  std::string ogg = encoded(growing_noise(3, kRateHz), SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  ogg.insert(ogg.find("OggS", 4), page(2, "\x80theora"));
  EXPECT_THAT(hear(ogg + page(0, "picture")).notices, IsEmpty());
}

TEST(TrueEnd, ANistHeaderIsHeldAgainstTheFile) {
  const std::string whole = encoded(sine(200, 2, kRateHz), SF_FORMAT_NIST | SF_FORMAT_PCM_16);
  EXPECT_THAT(hear(whole).notices, IsEmpty());
  EXPECT_THAT(hear(whole.substr(0, whole.size() / 2)).notices,
              ElementsAre(HasSubstr("bytes of sound that its header tells of")));
}

TEST(TrueEnd, FormatsWhoseEndIsNotKnownAreRefused) {
  for (const int format : {SF_FORMAT_VOC | SF_FORMAT_PCM_U8, SF_FORMAT_MAT4 | SF_FORMAT_PCM_16,
                           SF_FORMAT_MAT5 | SF_FORMAT_PCM_16, SF_FORMAT_SDS | SF_FORMAT_PCM_16,
                           SF_FORMAT_AVR | SF_FORMAT_PCM_16, SF_FORMAT_PAF | SF_FORMAT_PCM_16,
                           SF_FORMAT_HTK | SF_FORMAT_PCM_16, SF_FORMAT_IRCAM | SF_FORMAT_PCM_16,
                           SF_FORMAT_SVX | SF_FORMAT_PCM_16, SF_FORMAT_PVF | SF_FORMAT_PCM_16,
                           SF_FORMAT_MPC2K | SF_FORMAT_PCM_16}) {
    const std::string bytes = encoded(sine(200, 2, kRateHz), format);
    EXPECT_ERROR(hear(bytes), HasSubstr("MP3 or NIST SPHERE, found")) << std::hex << format;
  }
}

TEST(TrueEnd, JunkBehindFloatsIsLeftAndTold) {
  for (const int format : {SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE}) {
    const std::string good = encoded(sine(200, 1, kRateHz), SF_FORMAT_WAV | format);
    const Heard heard = hear(good + std::string(40, '\xff'));
    EXPECT_EQ(heard.wave.samples, hear(good).wave.samples);
    EXPECT_THAT(heard.notices, ElementsAre("left unread: 40 bytes behind its sound that are none"));
  }
}

TEST(TrueEnd, AReaderGoesBackToTheBeginning) {
  const std::string bytes = wav() + wav(4000);
  AudioReader reader(std::as_bytes(std::span(bytes)), "clip");
  const Eigen::VectorXf once = read_audio(reader).samples;
  EXPECT_EQ(once.size(), 12000);
  reader.restart();
  EXPECT_EQ(read_audio(reader).samples, once);
}

}  // namespace
}  // namespace ser
