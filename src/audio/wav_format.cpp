#include "audio/wav_format.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ser::wav {
namespace {

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

}  // namespace

std::string header(std::uint32_t data_bytes, int sample_rate_hz, SampleFormat format) {
  const std::uint16_t sample_bytes = bytes_of(format);
  const auto rate = static_cast<std::uint32_t>(sample_rate_hz);
  std::string out = "RIFF";
  append(out, kHeaderBytes - 8 + data_bytes);
  out += "WAVEfmt ";
  append(out, std::uint32_t{16});
  append(out, format == SampleFormat::kFloat ? kIeeeFloat : kPcm);
  append(out, std::uint16_t{1});
  append(out, rate);
  append(out, rate * sample_bytes);
  append(out, sample_bytes);
  append(out, static_cast<std::uint16_t>(8 * sample_bytes));
  out += "data";
  append(out, data_bytes);
  return out;
}

void append_sample(std::string& out, float sample, SampleFormat format) {
  if (format == SampleFormat::kFloat)
    append(out, std::bit_cast<std::uint32_t>(sample));
  else
    append(out, to_int16(sample));
}

}  // namespace ser::wav
