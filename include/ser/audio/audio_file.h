#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/waveform.h"

namespace ser {

/// Limits of what is taken for a recording of speech.
inline constexpr double kShortestRecordingS = 0.1;
/// Longer ones are worked on piece by piece, so that memory does not grow with their length.
inline constexpr double kLongestPieceS = 60;
inline constexpr int kLowestRateHz = 1000;
inline constexpr int kHighestRateHz = 400000;
inline constexpr int kMostChannels = 64;

/// Throws Error for a rate or a number of channels outside these limits.
void check_limits(int sample_rate_hz, int num_channels);

/// A recording, decoded block by block and averaged over its channels; where they cancel each other
/// out, the loudest is taken instead. The format is told by content alone, never by the name;
/// integers are scaled by their full range (int16 / 32768). Memory does not depend on the frame
/// count a header claims, nor on the recording's length.
///
/// A recording is read to its true end, whatever its header tells: of WAV, RF64, AIFF, AU, Wave64
/// and CAF that were never closed, of MP3 without a count of its frames, of files joined end to
/// end. What cannot be read, or is missing, is told by `notices`.
///
/// Read are WAV and its like (RF64, BW64, RIFX, Wave64), AIFF, AU, CAF, FLAC, Ogg (Vorbis, Opus,
/// Speex, FLAC), MP3 and NIST SPHERE: plain WAV here, all else by libsndfile. A FLAC stream that
/// changes its sampling rate half-way is read at its first rate, and told. Its MP3 decoder prints
/// notes about damaged or truncated streams on stderr; the handle that would silence it is out of
/// reach, and turning the descriptor away is no option in a library with threads.
class AudioReader {
 public:
  /// Opens a file; a pipe is copied to an unnamed temporary file first. Throws Error, naming the
  /// file, what was expected and what was found: no such file, a folder, an empty file, an
  /// unsupported or damaged format, a rate or number of channels outside the limits above.
  explicit AudioReader(const std::filesystem::path& path);
  /// Opens a file held in memory; `name` stands for it in messages. `bytes` must outlive the
  /// reader.
  AudioReader(std::span<const std::byte> bytes, std::string_view name);
  /// Opens what is left of an open file or a pipe (stdin), which is copied to an unnamed temporary
  /// file first: of a pipe, 4 GiB at most. `name` stands for it in messages.
  AudioReader(int descriptor, std::string_view name);
  ~AudioReader();
  AudioReader(AudioReader&&) noexcept;

  int sample_rate_hz() const;
  int num_channels() const;

  /// Share of the file's bytes that has been asked for, 0 to 1: about how far reading is. May be
  /// called while another thread reads.
  double share_read() const;

  /// The next mono samples, valid until the next call; empty at the end.
  /// Throws Error for samples that are not finite, a stream that breaks off with a decoding error,
  /// and at the end of a recording that had no frame or less than kShortestRecordingS.
  std::span<const float> next_block();

  /// What should be known about the sound read so far, one sentence without the file's name each:
  /// sound that was left unread or is missing, channels that cancelled out. Complete at the end.
  std::vector<std::string> notices() const;

  /// Back to the beginning.
  void restart();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The whole recording, mono, at its own rate. Throws Error as AudioReader does.
Waveform read_audio(const std::filesystem::path& path);

/// What is left of a recording that was opened. Throws Error as AudioReader does.
Waveform read_audio(AudioReader& reader);

/// The next `most_s` seconds, or what is left, and one sample more where there is more: so a
/// duration above `most_s` tells that the recording goes on. Throws Error as AudioReader does.
Waveform read_start(AudioReader& reader, double most_s);

/// The whole recording in `bytes` (a file read from stdin); `name` stands for it in messages.
Waveform read_audio(std::span<const std::byte> bytes, std::string_view name);

}  // namespace ser
