#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "audio/sound_part.h"

namespace ser {

/// Turns the bytes of a part into samples.
class Decoder {
 public:
  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  virtual int sample_rate_hz() const = 0;
  virtual int num_channels() const = 0;
  /// Frames that the header tells of; may be a guess.
  virtual std::int64_t header_frames() const = 0;
  /// Fills `out` with whole frames, channel by channel; returns how many there were, 0 at the end.
  virtual std::int64_t read(std::span<float> out) = 0;
  /// Whether decoding ended before the sound did.
  virtual bool failed() const = 0;
};

/// WAV files of PCM or float samples whose header is as the standard has it. nullptr for all else,
/// and `file` is where it was.
std::unique_ptr<Decoder> open_wav(PartFile& file);

/// WAV, RF64, Wave64, AIFF, AU, CAF, FLAC, Ogg, MP3 and NIST SPHERE; nullptr for all else. The
/// library is loaded with the first call: with its codecs it is eight files, which take longer to
/// load than a clip to decode. Throws Error where it is not installed.
std::unique_ptr<Decoder> open_sndfile(PartFile& file);

}  // namespace ser
