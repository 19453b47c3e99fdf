#include "audio/sound_part.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "audio/number_bytes.h"

namespace ser {
namespace {

constexpr std::int64_t kHeaderBytes = 4;
constexpr std::uint32_t kMono = 3;
/// What all frames of a file share: sync word, version, layer and sampling rate.
constexpr std::uint32_t kSharedBits = 0xFFFE0C00;
constexpr std::uint32_t kBitRateShift = 12, kNoChecksum = 1u << 16, kPadding = 1u << 9;
constexpr std::uint32_t kHasCount = 1;

/// A frame's header, ISO/IEC 11172-3, 2.4.1.3, and 13818-3 for the lower rates.
struct Frame {
  std::uint32_t header = 0;
  int kbit_per_s = 0;
  int sample_rate_hz = 0;
  int samples = 0;
  std::int64_t bytes = 0;

  bool is_like(const Frame& other) const { return ((header ^ other.header) & kSharedBits) == 0; }
  /// Where a Xing header's name would be: behind the header, a checksum and the side information.
  std::int64_t xing_offset() const {
    const bool is_mono = (header >> 6 & 3) == kMono, is_mpeg1 = samples == 1152;
    const int side = is_mpeg1 ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17);
    return kHeaderBytes + ((header & kNoChecksum) ? 0 : 2) + side;
  }
};

std::optional<Frame> parse_frame(std::string_view bytes) {
  constexpr std::array kMpeg1 = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array kMpeg2 = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  constexpr std::array kRates = {44100, 48000, 32000};
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const std::uint32_t header = to_number(bytes.substr(0, 4), std::endian::big);
  const std::uint32_t version = header >> 19 & 3, layer = header >> 17 & 3;
  const std::uint32_t bit_rate = header >> kBitRateShift & 15, rate = header >> 10 & 3;
  if (header >> 21 != 0x7FF || version == 1 || layer != 1 || bit_rate == 0 || bit_rate == 15 ||
      rate == 3)
    return std::nullopt;
  const bool is_mpeg1 = version == 3;
  Frame frame;
  frame.header = header;
  frame.kbit_per_s = (is_mpeg1 ? kMpeg1 : kMpeg2)[bit_rate];
  frame.sample_rate_hz = kRates[rate] / (is_mpeg1 ? 1 : version == 2 ? 2 : 4);
  frame.samples = is_mpeg1 ? 1152 : 576;
  frame.bytes = frame.samples / 8 * 1000 * frame.kbit_per_s / frame.sample_rate_hz +
                ((header & kPadding) ? 1 : 0);
  return frame;
}

std::optional<Frame> frame_at(const ByteSource& source, std::int64_t at) {
  return parse_frame(source.text_at(at, kHeaderBytes));
}

/// Whether the frame at `at` is followed by one like it or ends the source: no accident.
bool is_certain(const ByteSource& source, std::int64_t at, const Frame& frame) {
  const std::int64_t behind = at + frame.bytes;
  if (behind >= source.size()) return behind == source.size();
  const std::optional<Frame> next = frame_at(source, behind);
  return (next && next->is_like(frame)) || tag_bytes(source, behind) > 0;
}

/// The first place from `at` on, before `end`, that a frame begins at.
std::optional<std::int64_t> find_frame(const ByteSource& source, std::int64_t at,
                                       std::int64_t end) {
  constexpr std::int64_t kBlock = 1 << 16;
  for (; at < end; at += kBlock) {
    const std::string block = source.text_at(at, kBlock + kHeaderBytes - 1);
    for (std::size_t i = block.find('\xff'); i < kBlock; i = block.find('\xff', i + 1)) {
      const std::int64_t place = at + i;
      if (place >= end) return std::nullopt;
      const std::optional<Frame> frame = parse_frame(std::string_view(block).substr(i));
      if (frame && is_certain(source, place, *frame)) return place;
    }
  }
  return std::nullopt;
}

/// The frame that counts the others, ISO/IEC 11172-3 with the Xing header of 1999: the smallest one
/// of the file's kind that holds it, silent.
std::string counting_frame(const Frame& like, std::uint32_t frames) {
  const std::uint32_t bare = (like.header & ~(15u << kBitRateShift) & ~kPadding) | kNoChecksum;
  for (std::uint32_t bit_rate = 1;; ++bit_rate) {
    const std::string header = to_bytes(bare | bit_rate << kBitRateShift, 4, std::endian::big);
    const Frame frame = *parse_frame(header);
    const std::size_t at = frame.xing_offset();
    std::string bytes(static_cast<std::size_t>(frame.bytes), '\0');
    const std::string xing =
        "Xing" + to_bytes(kHasCount, 4, std::endian::big) + to_bytes(frames, 4, std::endian::big);
    if (at + xing.size() > bytes.size()) continue;
    return bytes.replace(0, 4, header).replace(at, xing.size(), xing);
  }
}

/// One MP3 file: frames from its first one on.
class Mp3File {
 public:
  Mp3File(const ByteSource& source, std::int64_t begin)
      : source_(source), begin_(begin), first_(*frame_at(source, begin)) {
    if (!has_xing(begin_, first_)) return;
    const std::int64_t xing = begin_ + first_.xing_offset();
    const std::string head = source_.text_at(xing + 4, 8);
    end_ = begin_ + first_.bytes;
    if ((to_number(head.substr(0, 4), std::endian::big) & kHasCount) == 0) {
      begin_ = end_;  // it counts nothing: replaced by one that does
      return;
    }
    count_at_ = xing + 8;
    told_ = to_number(head.substr(4), std::endian::big);
  }

  /// Takes the frames up to what is none; returns where that is.
  std::int64_t take_frames() {
    std::int64_t at = std::max(begin_, end_);
    while (const std::optional<Frame> frame = frame_at(source_, at)) {
      if (!frame->is_like(first_) || at + frame->bytes > source_.size()) break;
      if (count_ > 0 && has_xing(at, *frame)) break;
      at += frame->bytes;
      ++count_;
    }
    return end_ = at;
  }

  /// Whether a frame found at `at`, behind damage, belongs to the file.
  bool goes_on_at(std::int64_t at) {
    const std::optional<Frame> frame = frame_at(source_, at);
    if (!frame->is_like(first_) || has_xing(at, *frame)) return false;
    end_ = at;
    return true;
  }

  void add_to(SoundParts& found) const {
    SoundPart part{begin_, end_};
    part.guessed = true;
    if (count_at_ == 0 && guess() < count_)
      part.prefix = counting_frame(first_, count_);
    else if (count_at_ > 0 && told_ < count_)
      part.patches = {
          {count_at_, to_bytes(static_cast<std::uint64_t>(count_), 4, std::endian::big)}};
    else if (count_at_ > 0 && told_ > count_ + 1)
      found.notices.push_back(fmt::format("breaks off after {:.1f} of the {:.1f} s of its header",
                                          seconds(count_), seconds(told_)));
    found.parts.push_back(std::move(part));
  }

 private:
  /// The number of frames that a decoder guesses from the first one, rounded up.
  std::int64_t guess() const {
    return 1 + 8 * (end_ - begin_) * first_.sample_rate_hz /
                   (1000 * static_cast<std::int64_t>(first_.samples) * first_.kbit_per_s);
  }
  bool has_xing(std::int64_t at, const Frame& frame) const {
    const std::string name = source_.text_at(at + frame.xing_offset(), 4);
    return name == "Xing" || name == "Info";
  }
  double seconds(std::int64_t frames) const {
    return static_cast<double>(frames * first_.samples) / first_.sample_rate_hz;
  }

  const ByteSource& source_;
  std::int64_t begin_;
  std::int64_t end_ = 0;
  Frame first_;
  std::int64_t count_ = 0;     ///< frames of sound
  std::int64_t count_at_ = 0;  ///< place of the header's count; 0: none
  std::int64_t told_ = 0;      ///< that count
};

/// The first frame: at once, or a little behind a tag, whose padding may be longer than it says.
std::optional<std::int64_t> first_frame(const ByteSource& source, std::int64_t begin) {
  constexpr std::int64_t kLongestPadding = 1 << 16;
  return find_frame(source, begin, begin + (begin > 0 ? kLongestPadding : 1));
}

}  // namespace

SoundParts find_mp3_sound(const ByteSource& source, std::int64_t begin) {
  SoundParts found;
  std::optional<std::int64_t> first = first_frame(source, begin);
  while (first) {
    Mp3File file(source, *first);
    first.reset();
    while (!first) {
      const std::int64_t end = file.take_frames();
      const std::int64_t behind = skip_tags(source, end);
      const std::optional<std::int64_t> next = find_frame(source, behind, source.size());
      if (!next) break;
      if (behind > end || !file.goes_on_at(*next)) first = next;
    }
    file.add_to(found);
  }
  return found;
}

}  // namespace ser
