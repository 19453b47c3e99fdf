#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::uint16_t kPcm = 1, kIeeeFloat = 3;

/// Little-endian, whatever the machine.
template <typename Unsigned>
void append(std::string& out, Unsigned value) {
  for (std::size_t byte = 0; byte < sizeof(value); ++byte)
    out.push_back(static_cast<char>(value >> (8 * byte)));
}

std::uint16_t to_int16(float sample) {
  const double scaled = std::nearbyint(static_cast<double>(sample) * 32768);
  return static_cast<std::uint16_t>(
      static_cast<std::int16_t>(std::clamp(scaled, -32768.0, 32767.0)));
}

/// RIFF header of a mono file: chunks "fmt " (16 bytes) and "data".
std::string header(std::uint32_t data_bytes, int sample_rate_hz, SampleFormat format) {
  const bool is_float = format == SampleFormat::kFloat;
  const std::uint16_t sample_bytes = is_float ? 4 : 2;
  const auto rate = static_cast<std::uint32_t>(sample_rate_hz);
  std::string out = "RIFF";
  append(out, 36 + data_bytes);
  out += "WAVEfmt ";
  append(out, std::uint32_t{16});
  append(out, is_float ? kIeeeFloat : kPcm);
  append(out, std::uint16_t{1});
  append(out, rate);
  append(out, rate * sample_bytes);
  append(out, sample_bytes);
  append(out, static_cast<std::uint16_t>(8 * sample_bytes));
  out += "data";
  append(out, data_bytes);
  return out;
}

void check(const std::filesystem::path& path, const Waveform& wave) {
  if (wave.sample_rate_hz < 1)
    throw Error(fmt::format("{}: expected a sampling rate of at least 1 Hz, found {} Hz",
                            path.string(), wave.sample_rate_hz));
  if (!wave.samples.allFinite())
    throw Error(
        fmt::format("{}: expected finite samples to write, found NaN or infinity", path.string()));
  constexpr Eigen::Index kMostSamples = (std::numeric_limits<std::uint32_t>::max() - 36) / 4;
  if (wave.samples.size() > kMostSamples)
    throw Error(fmt::format("{}: expected at most {} samples in a WAV file, found {}",
                            path.string(), kMostSamples, wave.samples.size()));
}

}  // namespace

void write_wav(const std::filesystem::path& path, const Waveform& wave, SampleFormat format) {
  check(path, wave);
  const std::uint32_t sample_bytes = format == SampleFormat::kFloat ? 4 : 2;
  const auto data_bytes = static_cast<std::uint32_t>(wave.samples.size()) * sample_bytes;
  AtomicFile file(path);
  std::string block = header(data_bytes, wave.sample_rate_hz, format);
  for (const float sample : wave.samples) {
    if (format == SampleFormat::kFloat)
      append(block, std::bit_cast<std::uint32_t>(sample));
    else
      append(block, to_int16(sample));
    if (block.size() >= (1 << 16)) {
      file.write(block);
      block.clear();
    }
  }
  file.write(block);
  file.commit();
}

}  // namespace ser
