#include "ser/audio/pcm_stream.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <optional>

#include "audio/chunk_file.h"
#include "audio/content.h"
#include "audio/downmix.h"
#include "audio/number_bytes.h"
#include "audio/wav_format.h"
#include "ser/audio/audio_file.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::size_t kBlockBytes = 1 << 15;
constexpr std::size_t kLargestHeaderChunk = 1 << 20;

std::uint32_t number(const std::string& text, std::size_t at, std::size_t count) {
  return static_cast<std::uint32_t>(to_number(std::string_view(text).substr(at, count)));
}

PcmFormat stream_format(const std::string& chunk, const std::string& name) {
  const std::optional<wav::FormatChunk> found = wav::parse_format(chunk);
  if (!found)
    throw Error(fmt::format("{}: expected a WAV format chunk of at least 16 bytes, found {}", name,
                            chunk.size()));
  const std::optional<PcmEncoding> encoding = found->encoding();
  if (!encoding)
    throw Error(fmt::format(
        "{}: expected a WAV stream of PCM or float samples, found format {} with {} bits", name,
        found->tag, found->bits));
  if (const std::size_t wanted = found->num_channels * bytes_of(*encoding);
      found->frame_bytes != wanted)
    throw Error(fmt::format("{}: expected {} bytes a frame of {} channels and {} bits, found {}",
                            name, wanted, found->num_channels, found->bits, found->frame_bytes));
  return {*encoding, static_cast<int>(found->sample_rate_hz),
          static_cast<int>(found->num_channels)};
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
  start();
}

PcmStream::PcmStream(Read read, std::string name, const PcmFormat& raw)
    : read_(std::move(read)), name_(std::move(name)), format_(raw), bytes_(kBlockBytes) {
  start();
}

PcmStream::~PcmStream() = default;
PcmStream::PcmStream(PcmStream&&) noexcept = default;

void PcmStream::start() {
  with_context(name_, [&] { check_limits(format_.sample_rate_hz, format_.num_channels); });
  downmix_ = std::make_unique<Downmix>(format_.num_channels, format_.sample_rate_hz);
}

std::string PcmStream::notice() const { return downmix_->notice(); }

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
    const std::size_t size = number(head, 4, 4);
    if (head.starts_with("data")) {
      if (size < kUnknownSize) left_ = size;
      size_is_odd_ = size % 2 == 1;
      break;
    }
    if (size > kLargestHeaderChunk)
      throw Error(
          fmt::format("{}: expected WAV chunks of at most {} bytes before the sound, "
                      "found {}",
                      name_, kLargestHeaderChunk, size));
    // Chunks begin at even places.
    const std::string chunk = read_exactly(size + size % 2, "a chunk of a WAV stream");
    if (!head.starts_with("fmt ")) continue;
    format_ = stream_format(chunk, name_);
    formatted = true;
  }
  if (!formatted)
    throw Error(fmt::format("{}: expected a WAV format chunk before the sound, found none", name_));
}

/// The next bytes, behind those that are not yet decoded; 0 at the end.
std::size_t PcmStream::fill() {
  const std::size_t got = read_(std::span(bytes_).subspan(filled_));
  filled_ += got;
  return got;
}

/// Whether the sound ends where the header says, which is `rest` bytes (a frame cut in two) behind
/// the last frame decoded; waits for the head of a chunk.
bool PcmStream::is_over(std::size_t rest) {
  constexpr std::size_t kChunkHead = 8;
  constexpr std::uint64_t kLargestChunk = 1 << 24;
  const std::size_t even = rest + (size_is_odd_ ? 1 : 0);  // where chunks should begin
  while (filled_ < even + kChunkHead)
    if (fill() == 0) return filled_ <= even;
  const std::string_view bytes(reinterpret_cast<const char*>(bytes_.data()), filled_);
  const auto begins = [&](std::size_t at) {
    const std::string_view behind = bytes.substr(at, kChunkHead);
    return behind.starts_with("RIFF") || begins_chunk(behind, kLargestChunk);
  };
  return begins(rest) || begins(even);
}

std::span<const float> PcmStream::next_block() {
  const std::size_t frame_bytes =
      bytes_of(format_.encoding) * static_cast<std::size_t>(format_.num_channels);
  while (true) {
    if (left_ < frame_bytes) {
      if (is_over(static_cast<std::size_t>(left_))) return {};
      left_ = kNoSize;
    } else if (fill() == 0) {
      return {};
    }
    const std::size_t bytes = static_cast<std::size_t>(std::min<std::uint64_t>(filled_, left_));
    const std::size_t frames = bytes / frame_bytes;
    if (frames == 0) continue;
    decode(frames);
    const std::size_t used = frames * frame_bytes;
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(used),
              bytes_.begin() + static_cast<std::ptrdiff_t>(filled_), bytes_.begin());
    filled_ -= used;
    if (left_ != kNoSize) left_ -= used;
    return mono_;
  }
}

void PcmStream::decode(std::size_t frames) {
  interleaved_.resize(frames * static_cast<std::size_t>(format_.num_channels));
  wav::decode(bytes_, format_.encoding, interleaved_);
  mono_.clear();
  downmix_->add(interleaved_, mono_);
  for (std::size_t i = 0; i < frames; ++i)
    if (!std::isfinite(mono_[i]))
      throw Error(fmt::format("{}: expected finite samples, found {} at {:.3f} s", name_, mono_[i],
                              static_cast<double>(frames_done_ + i) / format_.sample_rate_hz));
  frames_done_ += frames;
}

}  // namespace ser
