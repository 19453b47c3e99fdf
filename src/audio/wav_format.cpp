#include "audio/wav_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "audio/number_bytes.h"

namespace ser::wav {
namespace {

std::uint16_t to_int16(float sample) {
  const double scaled = std::nearbyint(static_cast<double>(sample) * 32768);
  return static_cast<std::uint16_t>(
      static_cast<std::int16_t>(std::clamp(scaled, -32768.0, 32767.0)));
}

/// Calls convert with the Width little-endian bytes of every sample as one unsigned number.
template <std::size_t Width, typename Convert>
void decode_each(const std::byte* bytes, std::span<float> out, Convert convert) {
  for (float& sample : out) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < Width; ++i)
      bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    sample = static_cast<float>(convert(bits));
    bytes += Width;
  }
}

}  // namespace

std::string header(std::uint32_t data_bytes, int sample_rate_hz, SampleFormat format) {
  const std::uint32_t rate = sample_rate_hz, sample_bytes = bytes_of(format);
  return "RIFF" + to_bytes(kHeaderBytes - 8 + data_bytes, 4) + "WAVEfmt " + to_bytes(16, 4) +
         to_bytes(format == SampleFormat::kFloat ? kIeeeFloat : kPcm, 2) + to_bytes(1, 2) +
         to_bytes(rate, 4) + to_bytes(rate * sample_bytes, 4) + to_bytes(sample_bytes, 2) +
         to_bytes(8 * sample_bytes, 2) + "data" + to_bytes(data_bytes, 4);
}

void append_sample(std::string& out, float sample, SampleFormat format) {
  out += format == SampleFormat::kFloat ? to_bytes(std::bit_cast<std::uint32_t>(sample), 4)
                                        : to_bytes(to_int16(sample), 2);
}

std::optional<FormatChunk> parse_format(std::string_view chunk) {
  if (chunk.size() < 16) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) {
    return static_cast<std::uint32_t>(to_number(chunk.substr(at, count)));
  };
  FormatChunk format{number(0, 2), number(2, 2), number(4, 4), number(12, 2), number(14, 2)};
  // The extensible form has its tag in the first two bytes of a GUID further on.
  if (format.tag == kExtensible && chunk.size() >= 26) format.tag = number(24, 2);
  return format;
}

std::optional<PcmEncoding> FormatChunk::encoding() const {
  if (tag == kPcm && bits == 8) return PcmEncoding::kUint8;
  if (tag == kPcm && bits == 16) return PcmEncoding::kInt16;
  if (tag == kPcm && bits == 24) return PcmEncoding::kInt24;
  if (tag == kPcm && bits == 32) return PcmEncoding::kInt32;
  if (tag == kIeeeFloat && bits == 32) return PcmEncoding::kFloat32;
  if (tag == kIeeeFloat && bits == 64) return PcmEncoding::kFloat64;
  return std::nullopt;
}

bool is_no_sound(std::span<const std::byte> bytes, PcmEncoding encoding) {
  constexpr float kLoudest = 1e6;
  if (encoding != PcmEncoding::kFloat32 && encoding != PcmEncoding::kFloat64) return false;
  std::vector<float> values(bytes.size() / bytes_of(encoding));
  decode(bytes, encoding, values);
  return !std::ranges::all_of(values, [](float x) { return std::abs(x) < kLoudest; });
}

void decode(std::span<const std::byte> bytes, PcmEncoding encoding, std::span<float> out) {
  constexpr double kFull32 = 2147483648;
  switch (encoding) {
    case PcmEncoding::kUint8:
      return decode_each<1>(bytes.data(), out, [](std::uint64_t bits) {
        return (static_cast<double>(bits) - 128) / 128;
      });
    case PcmEncoding::kInt16:
      return decode_each<2>(bytes.data(), out, [](std::uint64_t bits) {
        return static_cast<float>(static_cast<std::int16_t>(bits)) / 32768;
      });
    case PcmEncoding::kInt24:  // its sign moved to where an int32_t has it
      return decode_each<3>(bytes.data(), out, [](std::uint64_t bits) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits << 8)) / kFull32;
      });
    case PcmEncoding::kInt32:
      return decode_each<4>(bytes.data(), out, [](std::uint64_t bits) {
        return static_cast<std::int32_t>(bits) / kFull32;
      });
    case PcmEncoding::kFloat32:
      return decode_each<4>(bytes.data(), out, [](std::uint64_t bits) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      });
    case PcmEncoding::kFloat64:
      return decode_each<8>(bytes.data(), out,
                            [](std::uint64_t bits) { return std::bit_cast<double>(bits); });
  }
}

}  // namespace ser::wav
