#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "ser/audio/audio_file.h"

namespace ser::wav {

/// Format tags of WAV files (RFC 2361).
inline constexpr std::uint16_t kPcm = 1, kIeeeFloat = 3, kExtensible = 0xFFFE;

inline constexpr std::uint32_t kHeaderBytes = 44;
/// The size field of a file does not count its first 8 bytes.
inline constexpr std::uint32_t kMostDataBytes =
    std::numeric_limits<std::uint32_t>::max() - (kHeaderBytes - 8);

constexpr std::uint16_t bytes_of(SampleFormat format) {
  return format == SampleFormat::kFloat ? 4 : 2;
}

/// RIFF header of a mono file: chunks "fmt " (16 bytes) and "data".
std::string header(std::uint32_t data_bytes, int sample_rate_hz, SampleFormat format);

/// Appends one sample as it stands in the file.
void append_sample(std::string& out, float sample, SampleFormat format);

}  // namespace ser::wav
