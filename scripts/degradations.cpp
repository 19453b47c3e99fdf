#include "degradations.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <span>
#include <string>

#include "ser/audio/audio_file.h"
#include "ser/audio/resample.h"
#include "ser/core/error.h"

namespace ser {
namespace {

using Eigen::Index;
using std::numbers::pi;

/// A second-order section of a Butterworth filter; high: it keeps what is above `cut_hz`
/// (Bristow-Johnson, Audio EQ Cookbook).
void filter(Eigen::VectorXf& samples, int rate_hz, double cut_hz, bool high, double q) {
  const double w = 2 * pi * cut_hz / rate_hz, c = std::cos(w), alpha = std::sin(w) / (2 * q);
  const double b1 = high ? -(1 + c) : 1 - c, b0 = std::abs(b1) / 2;
  const double a0 = 1 + alpha, a1 = -2 * c, a2 = 1 - alpha;
  double z1 = 0, z2 = 0;
  for (float& sample : samples) {
    const double in = sample / a0, out = b0 * in + z1;
    z1 = b1 * in - a1 / a0 * out + z2;
    z2 = b0 * in - a2 / a0 * out;
    sample = static_cast<float>(out);
  }
}

/// What a telephone lets through: 300 to 3,400 Hz, fourth order at both ends, at 8 kHz.
Waveform telephone_band(const Waveform& wave) {
  Waveform narrow = resample(wave, 8000);
  for (const double q : {0.54119610, 1.30656296}) {  // of a fourth-order Butterworth filter
    filter(narrow.samples, 8000, 300, true, q);
    filter(narrow.samples, 8000, 3400, false, q);
  }
  return narrow;
}

/// Encoded sound that libsndfile writes to and reads from memory.
struct MemoryFile {
  std::string bytes;
  sf_count_t at = 0;
};

SF_VIRTUAL_IO memory_io() {
  SF_VIRTUAL_IO io = {};
  io.get_filelen = [](void* user) {
    return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size());
  };
  io.seek = [](sf_count_t offset, int whence, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto size = static_cast<sf_count_t>(file.bytes.size());
    file.at = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : size);
    return file.at;
  };
  io.read = [](void* to, sf_count_t count, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto left = static_cast<sf_count_t>(file.bytes.size()) - file.at;
    const sf_count_t got = std::clamp<sf_count_t>(left, 0, count);
    std::memcpy(to, file.bytes.data() + file.at, static_cast<std::size_t>(got));
    file.at += got;
    return got;
  };
  io.write = [](const void* from, sf_count_t count, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto end = static_cast<std::size_t>(file.at + count);
    if (file.bytes.size() < end) file.bytes.resize(end);
    std::memcpy(file.bytes.data() + file.at, from, static_cast<std::size_t>(count));
    file.at += count;
    return count;
  };
  io.tell = [](void* user) { return static_cast<MemoryFile*>(user)->at; };
  return io;
}

/// The recording as a compressed file. level: libsndfile's, 0 (large) to 1 (small); below 0: none.
std::string encode(const Waveform& wave, int format, int bitrate_mode, double level) {
  MemoryFile memory;
  SF_VIRTUAL_IO io = memory_io();
  SF_INFO info = {};
  info.samplerate = wave.sample_rate_hz;
  info.channels = 1;
  info.format = format;
  SNDFILE* file = sf_open_virtual(&io, SFM_WRITE, &info, &memory);
  if (!file) throw Error(fmt::format("libsndfile cannot encode: {}", sf_strerror(nullptr)));
  if (level >= 0) {
    sf_command(file, SFC_SET_BITRATE_MODE, &bitrate_mode, sizeof bitrate_mode);
    sf_command(file, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  }
  const sf_count_t written = sf_writef_float(file, wave.samples.data(), wave.samples.size());
  if (sf_close(file) != 0 || written != wave.samples.size())
    throw Error("libsndfile cannot encode: writing failed");
  return memory.bytes;
}

Degraded compressed(const Waveform& wave, int format, int bitrate_mode, double level) {
  const std::string bytes = encode(wave, format, bitrate_mode, level);
  constexpr double kBitsPerKilobit = 1000;
  return {read_audio(std::as_bytes(std::span(bytes)), "compressed"),
          8 * static_cast<double>(bytes.size()) / wave.duration_s() / kBitsPerKilobit};
}

}  // namespace

Waveform with_offset(const Waveform& wave, double percent) {
  return {wave.samples.array() + static_cast<float>(percent / 100), wave.sample_rate_hz};
}

Waveform with_hum(const Waveform& wave, double frequency_hz, int harmonics, double level_dbfs) {
  double power = 0;
  for (int n = 1; n <= harmonics; ++n) power += 0.5 / (n * n);
  const double amplitude = std::pow(10, level_dbfs / 20) / std::sqrt(power);
  Waveform hummed = wave;
  for (Index i = 0; i < wave.samples.size(); ++i) {
    const double phase = 2 * pi * frequency_hz * static_cast<double>(i) / wave.sample_rate_hz;
    for (int n = 1; n <= harmonics; ++n)
      hummed.samples[i] += static_cast<float>(amplitude / n * std::sin(n * phase));
  }
  return hummed;
}

Waveform clipped(const Waveform& wave, double over_db) {
  const float peak = wave.samples.cwiseAbs().maxCoeff();
  if (!(peak > 0)) return wave;
  const float gain = static_cast<float>(std::pow(10, over_db / 20)) / peak;
  return {(gain * wave.samples).cwiseMin(1.0f).cwiseMax(-1.0f), wave.sample_rate_hz};
}

Waveform with_dropped_packets(const Waveform& wave, Rng& rng) {
  const Index period = wave.sample_rate_hz / 5, packet = wave.sample_rate_hz / 100;
  Waveform dropped = wave;
  for (Index at = static_cast<Index>(rng.below(static_cast<std::uint64_t>(period)));
       at < wave.samples.size(); at += period)
    dropped.samples.segment(at, std::min(packet, wave.samples.size() - at)).setZero();
  return dropped;
}

Degraded coded(const Waveform& wave, Codec codec) {
  // What libsndfile makes of a level between 0 and 1: MP3 320 to 32 kbit/s, Opus 256 to 6.
  switch (codec) {
    case Codec::kMp3:
      return compressed(wave, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_BITRATE_MODE_CONSTANT,
                        1 - 32.0 / 288);
    case Codec::kVorbis:
      return compressed(wave, SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_BITRATE_MODE_VARIABLE, 0.7);
    case Codec::kOpus:
      return compressed(resample(wave, 48000), SF_FORMAT_OGG | SF_FORMAT_OPUS,
                        SF_BITRATE_MODE_CONSTANT, 1 - 10.0 / 250);
    case Codec::kTelephone:
      return compressed(telephone_band(wave), SF_FORMAT_WAV | SF_FORMAT_ULAW, 0, -1);
    case Codec::kGsm:
      return compressed(telephone_band(wave), SF_FORMAT_WAV | SF_FORMAT_GSM610, 0, -1);
  }
  return {wave, 0};
}

}  // namespace ser
