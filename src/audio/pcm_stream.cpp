#include "ser/audio/pcm_stream.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "audio/content.h"
#include "audio/wav_format.h"
#include "ser/audio/audio_file.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::size_t kBlockBytes = 1 << 15;
constexpr std::size_t kLargestHeaderChunk = 1 << 20;

/// The unsigned integer of `count` little-endian bytes.
std::uint64_t little_endian(const std::byte* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= static_cast<std::uint64_t>(std::to_integer<unsigned>(bytes[i])) << (8 * i);
  return value;
}

std::uint32_t number(const std::string& text, std::size_t at, std::size_t count) {
  return static_cast<std::uint32_t>(
      little_endian(reinterpret_cast<const std::byte*>(text.data()) + at, count));
}

/// The sample at `bytes`, as a fraction of full scale.
double sample(const std::byte* bytes, PcmEncoding encoding) {
  const std::uint64_t bits = little_endian(bytes, bytes_of(encoding));
  switch (encoding) {
    case PcmEncoding::kUint8:
      return (static_cast<double>(bits) - 128) / 128;
    case PcmEncoding::kInt16:
      return static_cast<std::int16_t>(bits) / 32768.0;
    case PcmEncoding::kInt24:  // its sign moved to where an int32_t has it
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits << 8)) / 2147483648.0;
    case PcmEncoding::kInt32:
      return static_cast<std::int32_t>(bits) / 2147483648.0;
    case PcmEncoding::kFloat32:
      return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    case PcmEncoding::kFloat64:
      return std::bit_cast<double>(bits);
  }
  return 0;
}

/// Of a "fmt " chunk: tag, channels, rate, bytes a second, bytes a frame, bits; the extensible form
/// has its tag in the first two bytes of a GUID further on.
PcmFormat parse_format(const std::string& chunk, const std::string& name) {
  if (chunk.size() < 16)
    throw Error(fmt::format("{}: expected a WAV format chunk of at least 16 bytes, found {}", name,
                            chunk.size()));
  std::uint32_t tag = number(chunk, 0, 2);
  if (tag == wav::kExtensible && chunk.size() >= 26) tag = number(chunk, 24, 2);
  const std::uint32_t channels = number(chunk, 2, 2), frame_bytes = number(chunk, 12, 2);
  const std::uint32_t bits = number(chunk, 14, 2);
  const PcmEncoding encoding = [&] {
    if (tag == wav::kPcm && bits == 8) return PcmEncoding::kUint8;
    if (tag == wav::kPcm && bits == 16) return PcmEncoding::kInt16;
    if (tag == wav::kPcm && bits == 24) return PcmEncoding::kInt24;
    if (tag == wav::kPcm && bits == 32) return PcmEncoding::kInt32;
    if (tag == wav::kIeeeFloat && bits == 32) return PcmEncoding::kFloat32;
    if (tag == wav::kIeeeFloat && bits == 64) return PcmEncoding::kFloat64;
    throw Error(fmt::format(
        "{}: expected a WAV stream of PCM or float samples, found format {} with {} bits", name,
        tag, bits));
  }();
  const PcmFormat format{encoding, static_cast<int>(number(chunk, 4, 4)),
                         static_cast<int>(channels)};
  if (frame_bytes != channels * bytes_of(encoding))
    throw Error(fmt::format("{}: expected {} bytes a frame of {} channels and {} bits, found {}",
                            name, channels * bytes_of(encoding), channels, bits, frame_bytes));
  return format;
}

}  // namespace

std::size_t bytes_of(PcmEncoding encoding) {
  switch (encoding) {
    case PcmEncoding::kUint8:
      return 1;
    case PcmEncoding::kInt16:
      return 2;
    case PcmEncoding::kInt24:
      return 3;
    case PcmEncoding::kInt32:
    case PcmEncoding::kFloat32:
      return 4;
    case PcmEncoding::kFloat64:
      return 8;
  }
  return 0;
}

PcmStream::PcmStream(Read read, std::string name)
    : read_(std::move(read)), name_(std::move(name)), bytes_(kBlockBytes) {
  read_header();
}

PcmStream::PcmStream(Read read, std::string name, const PcmFormat& raw)
    : read_(std::move(read)), name_(std::move(name)), format_(raw), bytes_(kBlockBytes) {
  with_context(name_, [&] { check_limits(format_.sample_rate_hz, format_.num_channels); });
}

std::string PcmStream::read_exactly(std::size_t count, const char* what) {
  std::string text(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const std::size_t got =
        read_(std::as_writable_bytes(std::span(text.data() + done, count - done)));
    if (got == 0)
      throw Error(fmt::format("{}: expected {}, found the end of the stream after {} of {} bytes",
                              name_, what, done, count));
    done += got;
  }
  return text;
}

void PcmStream::read_header() {
  const std::string riff = read_exactly(12, "the header of a WAV stream");
  if ((!riff.starts_with("RIFF") && !riff.starts_with("RF64")) || riff.substr(8) != "WAVE")
    throw Error(fmt::format("{}: expected a WAV stream (or raw samples with --raw-rate), found {}",
                            name_, describe_content(riff)));
  bool formatted = false;
  while (true) {
    const std::string head = read_exactly(8, "a chunk of a WAV stream");
    if (head.starts_with("data")) break;
    const std::size_t size = number(head, 4, 4);
    if (size > kLargestHeaderChunk)
      throw Error(
          fmt::format("{}: expected WAV chunks of at most {} bytes before the sound, "
                      "found {}",
                      name_, kLargestHeaderChunk, size));
    // Chunks begin at even places.
    const std::string chunk = read_exactly(size + size % 2, "a chunk of a WAV stream");
    if (!head.starts_with("fmt ")) continue;
    format_ = parse_format(chunk, name_);
    with_context(name_, [&] { check_limits(format_.sample_rate_hz, format_.num_channels); });
    formatted = true;
  }
  if (!formatted)
    throw Error(fmt::format("{}: expected a WAV format chunk before the sound, found none", name_));
}

std::span<const float> PcmStream::next_block() {
  const std::size_t frame_bytes =
      bytes_of(format_.encoding) * static_cast<std::size_t>(format_.num_channels);
  while (true) {
    const std::size_t got = read_(std::span(bytes_).subspan(filled_));
    if (got == 0) return {};
    filled_ += got;
    const std::size_t frames = filled_ / frame_bytes;
    if (frames == 0) continue;
    decode(frames);
    const std::size_t used = frames * frame_bytes;
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(used),
              bytes_.begin() + static_cast<std::ptrdiff_t>(filled_), bytes_.begin());
    filled_ -= used;
    return mono_;
  }
}

void PcmStream::decode(std::size_t frames) {
  const auto channels = static_cast<std::size_t>(format_.num_channels);
  const std::size_t width = bytes_of(format_.encoding);
  mono_.resize(frames);
  const std::byte* at = bytes_.data();
  for (std::size_t i = 0; i < frames; ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c, at += width) sum += sample(at, format_.encoding);
    mono_[i] = static_cast<float>(sum / static_cast<double>(channels));
    if (!std::isfinite(mono_[i]))
      throw Error(fmt::format("{}: expected finite samples, found {} at {:.3f} s", name_, mono_[i],
                              static_cast<double>(frames_done_ + i) / format_.sample_rate_hz));
  }
  frames_done_ += frames;
}

}  // namespace ser
