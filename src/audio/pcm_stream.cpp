#include "ser/audio/pcm_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "audio/chunk_file.h"
#include "audio/content.h"
#include "audio/downmix.h"
#include "audio/number_bytes.h"
#include "audio/wav_format.h"
#include "core/internal/fail.h"
#include "ser/audio/audio_file.h"

namespace ser {
namespace {

bool begins_file(std::string_view bytes) {
  return bytes.starts_with("RIFF") || bytes.starts_with("RF64") || bytes.starts_with("BW64");
}

constexpr std::size_t kBlockBytes = 1 << 15;
constexpr std::size_t kLargestHeaderChunk = 1 << 20;
constexpr std::size_t kChunkHead = 8;
constexpr std::uint64_t kLargestChunk = 1 << 24;

std::uint32_t number(const std::string& text, std::size_t at, std::size_t count) {
  return static_cast<std::uint32_t>(to_number(std::string_view(text).substr(at, count)));
}

PcmFormat stream_format(const std::string& chunk, const std::string& name) {
  const std::optional<wav::FormatChunk> found = wav::parse_format(chunk);
  if (!found)
    fail("{}: expected a WAV format chunk of at least 16 bytes, found {}", name, chunk.size());
  const std::optional<PcmEncoding> encoding = found->encoding();
  if (!encoding)
    fail("{}: expected a WAV stream of PCM or float samples, found format {} with {} bits", name,
         found->tag, found->bits);
  if (const std::size_t wanted = found->num_channels * bytes_of(*encoding);
      found->frame_bytes != wanted)
    fail("{}: expected {} bytes a frame of {} channels and {} bits, found {}", name, wanted,
         found->num_channels, found->bits, found->frame_bytes);
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
  read_header(read_exactly(12, "the header of a WAV stream"));
  start();
}

PcmStream::PcmStream(Read read, std::string name, const PcmFormat& raw)
    : read_(std::move(read)), name_(std::move(name)), format_(raw), bytes_(kBlockBytes) {
  start();
}

PcmStream::~PcmStream() = default;
PcmStream::PcmStream(PcmStream&&) noexcept = default;

std::size_t PcmStream::frame_bytes() const {
  return bytes_of(format_.encoding) * format_.num_channels;
}

void PcmStream::start() {
  with_context(name_, [&] { check_limits(format_.sample_rate_hz, format_.num_channels); });
  downmix_ = std::make_unique<Downmix>(format_.num_channels, format_.sample_rate_hz);
}

std::vector<std::string> PcmStream::notices() const {
  std::vector<std::string> notices;
  for (const std::string& notice : {missing_, left_unread_, downmix_->notice()})
    if (!notice.empty()) notices.push_back(notice);
  return notices;
}

std::string PcmStream::read_exactly(std::size_t count, const char* what) {
  std::string text(count, '\0');
  std::size_t done = std::min(count, filled_);
  std::memcpy(text.data(), bytes_.data(), done);
  drop(done);
  while (done < count) {
    const std::size_t got =
        read_(std::as_writable_bytes(std::span(text.data() + done, count - done)));
    if (got == 0)
      fail("{}: expected {}, found the end of the stream after {} of {} bytes", name_, what, done,
           count);
    done += got;
  }
  return text;
}

void PcmStream::read_header(const std::string& riff) {
  if (!begins_file(riff) || riff.substr(8) != "WAVE")
    fail(
        "{}: expected a WAV stream (or raw samples with --raw-rate), found {}; `ffmpeg -i - -f wav "
        "-` may convert it",
        name_, kind_of_content(riff));
  bool formatted = false;
  std::size_t large = 0;  // what an RF64 stream tells of its sound
  while (true) {
    const std::string head = read_exactly(8, "a chunk of a WAV stream");
    const std::size_t size = number(head, 4, 4);
    if (head.starts_with("data")) {
      begin_sound(size == 0xFFFFFFFF && large > 0 ? large : size);
      break;
    }
    if (size > kLargestHeaderChunk)
      fail("{}: expected WAV chunks of at most {} bytes before the sound, found {}", name_,
           kLargestHeaderChunk, size);
    const std::string chunk = read_exactly(size, "a chunk of a WAV stream");
    if (size % 2 != 0) skip_padding();
    if (head.starts_with("ds64") && chunk.size() >= 16)
      large = to_number(std::string_view(chunk).substr(8, 8));
    if (!head.starts_with("fmt ")) continue;
    format_ = stream_format(chunk, name_);
    formatted = true;
  }
  if (!formatted) fail("{}: expected a WAV format chunk before the sound, found none", name_);
}

/// To where the next chunk begins behind one of odd size.
void PcmStream::skip_padding() {
  while (filled_ < kPaddingBytes && fill() > 0) {
  }
  const std::string_view behind(reinterpret_cast<const char*>(bytes_.data()), filled_);
  drop(std::min(filled_, padding_of(behind)));
}

void PcmStream::begin_sound(std::size_t told_bytes) {
  left_ = told_bytes < kUnknownSize ? told_bytes : kNoSize;
  size_is_odd_ = told_bytes % 2 == 1;
}

/// The next bytes, behind those that are not yet decoded; 0 at the end.
std::size_t PcmStream::fill() {
  const std::size_t got = read_(std::span(bytes_).subspan(filled_));
  filled_ += got;
  return got;
}

/// Where the sound ends, in bytes behind the last frame decoded, if it does where the header says:
/// `rest` bytes behind it, which are a frame cut in two. Waits for the head of a chunk.
std::optional<std::size_t> PcmStream::find_end(std::size_t rest) {
  const std::size_t even = rest + (size_is_odd_ ? 1 : 0);  // where chunks should begin
  while (filled_ < even + kChunkHead)
    if (fill() == 0) return filled_ <= even ? std::optional(filled_) : std::nullopt;
  const std::string_view bytes(reinterpret_cast<const char*>(bytes_.data()), filled_);
  for (const std::size_t at : {rest, even}) {
    const std::string_view behind = bytes.substr(at, kChunkHead);
    if (begins_file(behind) || begins_chunk(behind, kLargestChunk)) return at;
  }
  return std::nullopt;
}

/// Skips chunks up to more sound, of this file or of one joined to it; false if there is none.
bool PcmStream::enter_next_sound() {
  while (true) {
    while (filled_ < kChunkHead)
      if (fill() == 0) return false;
    const std::string head = read_exactly(kChunkHead, "a chunk of a WAV stream");
    const std::size_t size = number(head, 4, 4);
    if (head.starts_with("data")) {
      begin_sound(size);
      return true;
    }
    if (begins_file(head)) return enter_next_file(head);
    if (!begins_chunk(head, kLargestChunk) || !skip(size + size % 2)) return false;
  }
}

/// Reads the header of a file that begins with `head`; false if its sound cannot be joined.
bool PcmStream::enter_next_file(const std::string& head) {
  const PcmFormat before = format_;
  std::string what = "whose header cannot be read";
  try {
    read_header(head + read_exactly(4, "the header of a WAV stream"));
    if (format_.sample_rate_hz == before.sample_rate_hz &&
        format_.num_channels == before.num_channels)
      return true;
    what = fmt::format("{} channels at {} Hz", format_.num_channels, format_.sample_rate_hz);
  } catch (const Error&) {  // what was heard stays
  }
  left_unread_ = fmt::format("left unread behind {:.1f} s: another file joined to it ({})",
                             static_cast<double>(frames_done_) / before.sample_rate_hz, what);
  format_ = before;
  return false;
}

/// Forgets the first bytes.
void PcmStream::drop(std::size_t count) {
  std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(count),
            bytes_.begin() + static_cast<std::ptrdiff_t>(filled_), bytes_.begin());
  filled_ -= count;
}

/// Reads on without decoding; false at the end of the stream.
bool PcmStream::skip(std::size_t count) {
  while (true) {
    const std::size_t some = std::min(count, filled_);
    drop(some);
    count -= some;
    if (count == 0) return true;
    if (fill() == 0) return false;
  }
}

/// Makes at least a frame ready to be decoded; false at the end of the sound.
bool PcmStream::read_on() {
  if (left_ >= frame_bytes()) {
    if (fill() > 0) return true;
    if (left_ != kNoSize)
      missing_ =
          fmt::format("breaks off: {} of the bytes of sound that its header tells of are missing",
                      left_ - filled_);
    return false;
  }
  const std::optional<std::size_t> end = find_end(left_);
  if (!end && frames_done_ > 0 &&
      wav::is_no_sound(std::span(bytes_).first(filled_), format_.encoding)) {
    left_unread_ = fmt::format("left unread behind {:.1f} s: what is no sound",
                               static_cast<double>(frames_done_) / format_.sample_rate_hz);
    return false;
  }
  if (!end) {
    left_ = kNoSize;
    return true;
  }
  drop(*end);
  return enter_next_sound();
}

std::span<const float> PcmStream::next_block() {
  while (!is_over_) {
    is_over_ = !read_on();
    if (is_over_) break;
    const std::size_t bytes = std::min<std::uint64_t>(filled_, left_);
    const std::size_t frames = bytes / frame_bytes();
    if (frames == 0) continue;
    decode(frames);
    drop(frames * frame_bytes());
    if (left_ != kNoSize) left_ -= frames * frame_bytes();
    return mono_;
  }
  return {};
}

void PcmStream::decode(std::size_t frames) {
  interleaved_.resize(frames * format_.num_channels);
  wav::decode(bytes_, format_.encoding, interleaved_);
  mono_.clear();
  downmix_->add(interleaved_, mono_);
  for (std::size_t i = 0; i < frames; ++i)
    if (!std::isfinite(mono_[i]))
      fail("{}: expected finite samples, found {} at {:.3f} s", name_, mono_[i],
           static_cast<double>(frames_done_ + i) / format_.sample_rate_hz);
  frames_done_ += frames;
}

}  // namespace ser
