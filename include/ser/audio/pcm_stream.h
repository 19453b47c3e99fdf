#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ser {

/// How a stream spells a sample; little-endian, integers scaled by their full range.
enum class PcmEncoding { kUint8, kInt16, kInt24, kInt32, kFloat32, kFloat64 };

std::size_t bytes_of(PcmEncoding encoding);

struct PcmFormat {
  PcmEncoding encoding = PcmEncoding::kInt16;
  int sample_rate_hz = 0;
  int num_channels = 1;
};

class Downmix;

/// Sound from a stream that cannot seek and need not end, averaged over its channels, as soon as
/// its bytes are there: raw PCM, or a WAV stream. Channels that cancel each other out are treated
/// as AudioReader does.
///
/// Whoever streams WAV need not know its size, so the one in the header is only a hint: where a
/// chunk or another WAV file begins behind so much sound, the sound is over and goes on in the next
/// chunk of sound, or in that file if it has the same rate and channels; else it goes on to the end
/// of the stream. What that cannot tell: sound behind a size that is too small whose first
/// bytes look like a chunk (four letters, digits or blanks and a size below 16 MiB), once in a
/// hundred thousand times. Chunks behind sound whose size was not told are taken for sound.
class PcmStream {
 public:
  /// Fills the beginning of a buffer with the next bytes, waiting for at least one; returns how
  /// many, 0 at the end.
  using Read = std::function<std::size_t(std::span<std::byte>)>;

  /// Reads the header of a WAV stream. `name` stands for the stream in messages.
  /// Throws Error if it is none, breaks off, or has a format other than PcmEncoding's or a rate or
  /// number of channels outside the limits of AudioReader.
  PcmStream(Read read, std::string name);
  /// Raw PCM. Throws Error for a rate or number of channels outside those limits.
  PcmStream(Read read, std::string name, const PcmFormat& raw);
  ~PcmStream();
  PcmStream(PcmStream&&) noexcept;

  const PcmFormat& format() const { return format_; }

  /// The samples of the next read, valid until the next call; empty at the end, where a frame cut
  /// in two is dropped. Throws Error for samples that are not finite.
  std::span<const float> next_block();

  /// What should be known about the sound read so far, a sentence each: sound that is missing or
  /// was left unread, channels that cancelled each other out.
  std::vector<std::string> notices() const;

 private:
  std::size_t frame_bytes() const;
  void start();
  void read_header(const std::string& riff);
  void begin_sound(std::size_t told_bytes);
  std::size_t fill();
  std::optional<std::size_t> find_end(std::size_t rest);
  bool enter_next_sound();
  bool enter_next_file(const std::string& head);
  void skip_padding();
  void drop(std::size_t count);
  bool skip(std::size_t count);
  bool read_on();
  std::string read_exactly(std::size_t count, const char* what);
  void decode(std::size_t frames);

  static constexpr std::uint64_t kNoSize = ~std::uint64_t{0};

  Read read_;
  std::string name_;
  PcmFormat format_;
  std::unique_ptr<Downmix> downmix_;
  std::vector<std::byte> bytes_;
  std::size_t filled_ = 0;        ///< bytes not yet decoded
  std::uint64_t left_ = kNoSize;  ///< of the sound that the header tells of
  bool size_is_odd_ = false;
  bool is_over_ = false;
  std::string missing_, left_unread_;  ///< notices
  std::vector<float> interleaved_, mono_;
  std::size_t frames_done_ = 0;
};

}  // namespace ser
