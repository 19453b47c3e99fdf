#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ser/audio/pcm_stream.h"
#include "ser/audio/wav_recorder.h"

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

/// A chunk "fmt " as it stands in the file; the tag is that of the extensible form where it has
/// one.
struct FormatChunk {
  std::uint32_t tag = 0, num_channels = 0, sample_rate_hz = 0, frame_bytes = 0, bits = 0;

  /// Empty for what is neither PCM of 8, 16, 24 or 32 bits nor float of 32 or 64.
  std::optional<PcmEncoding> encoding() const;
};

/// Empty for fewer than 16 bytes.
std::optional<FormatChunk> parse_format(std::string_view chunk);

/// Whether `bytes`, said to be floats, hold some that are out of any range of sound. False for
/// whole numbers, which all are sound.
bool is_no_sound(std::span<const std::byte> bytes, PcmEncoding encoding);

/// Samples as fractions of full scale; `bytes` holds one for each of `out`.
void decode(std::span<const std::byte> bytes, PcmEncoding encoding, std::span<float> out);

}  // namespace ser::wav
