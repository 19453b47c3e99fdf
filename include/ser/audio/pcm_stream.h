#pragma once

#include <cstddef>
#include <functional>
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

/// Sound from a stream that cannot seek and need not end, averaged over its channels, as soon as
/// its bytes are there: raw PCM, or a WAV stream. Of the latter's header, the sizes of the file and
/// of its data are ignored: whoever streams does not know them when it writes them.
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

  const PcmFormat& format() const { return format_; }

  /// The samples of the next read, valid until the next call; empty at the end, where a frame cut
  /// in two is dropped. Throws Error for samples that are not finite.
  std::span<const float> next_block();

 private:
  void read_header();
  std::string read_exactly(std::size_t count, const char* what);
  void decode(std::size_t frames);

  Read read_;
  std::string name_;
  PcmFormat format_;
  std::vector<std::byte> bytes_;
  std::size_t filled_ = 0;  ///< bytes of a frame begun
  std::vector<float> mono_;
  std::size_t frames_done_ = 0;
};

}  // namespace ser
