#pragma once

#include <sndfile.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "support/temp_folder.h"

namespace ser {

template <typename Number>
void put(std::string& bytes, std::size_t at, Number value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

/// A 16-bit WAV file of interleaved samples.
inline std::string wav_bytes(std::uint16_t channels, std::uint32_t rate_hz,
                             const std::vector<std::int16_t>& samples) {
  const auto data_bytes = static_cast<std::uint32_t>(2 * samples.size());
  std::string bytes(44 + data_bytes, '\0');
  bytes.replace(0, 4, "RIFF");
  put(bytes, 4, 36 + data_bytes);
  bytes.replace(8, 8, "WAVEfmt ");
  put(bytes, 16, std::uint32_t{16});
  put(bytes, 20, std::uint16_t{1});
  put(bytes, 22, channels);
  put(bytes, 24, rate_hz);
  put(bytes, 28, rate_hz * 2 * channels);
  put(bytes, 32, static_cast<std::uint16_t>(2 * channels));
  put(bytes, 34, std::uint16_t{16});
  bytes.replace(36, 4, "data");
  put(bytes, 40, data_bytes);
  if (data_bytes > 0) std::memcpy(bytes.data() + 44, samples.data(), data_bytes);
  return bytes;
}

/// A mono file as libsndfile writes it, in `format` (SF_FORMAT_...); empty where it cannot.
/// vbr_level: 0 (large) to 1 (small), for a varying bit rate.
inline std::string encoded(const Waveform& wave, int format, double vbr_level = -1) {
  const TempFolder folder;
  const std::string path = (folder / "x").string();
  SF_INFO info{};
  info.samplerate = wave.sample_rate_hz;
  info.channels = 1;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (!file) return "";
  if (vbr_level >= 0) {
    int mode = SF_BITRATE_MODE_VARIABLE;
    sf_command(file, SFC_SET_BITRATE_MODE, &mode, sizeof mode);
    sf_command(file, SFC_SET_COMPRESSION_LEVEL, &vbr_level, sizeof vbr_level);
  }
  sf_writef_float(file, wave.samples.data(), wave.samples.size());
  sf_close(file);
  return read_file(path, 1 << 28);
}

}  // namespace ser
