#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>

namespace ser {

/// kInt16: 16-bit integers, sample * 32768 rounded to the nearest and clipped. kFloat: as they are.
enum class SampleFormat { kInt16, kFloat };

/// Writes a mono WAV file as its sound comes in. Once a second of it, samples and then the sizes in
/// the header reach the file, so whatever kills the program leaves a valid file that lacks the last
/// second at most.
class WavRecorder {
 public:
  /// Replaces `path`. Throws Error, naming it, if it cannot be written or cannot seek (a pipe).
  WavRecorder(std::filesystem::path path, int sample_rate_hz, SampleFormat format,
              std::uint32_t most_data_bytes = std::numeric_limits<std::uint32_t>::max());
  /// Closes; what goes wrong then is lost.
  ~WavRecorder();
  WavRecorder(const WavRecorder&) = delete;
  WavRecorder& operator=(const WavRecorder&) = delete;

  /// Samples beyond the 4 GiB of a WAV file (12 hours of 16 bits at 48 kHz) are left out.
  /// Throws Error, naming the file, if writing fails.
  void write(std::span<const float> samples);
  /// Whether samples were left out.
  bool full() const { return full_; }
  /// Writes what is left. Throws Error as `write` does.
  void close();

 private:
  void flush();

  std::filesystem::path path_;
  int descriptor_ = -1;
  int sample_rate_hz_;
  SampleFormat format_;
  std::uint32_t most_data_bytes_;
  std::uint32_t data_bytes_ = 0;  ///< in the file or pending
  std::string pending_;
  bool full_ = false;
};

}  // namespace ser
