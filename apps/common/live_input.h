#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "flags.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/pcm_stream.h"
#include "ser/audio/wav_recorder.h"
#include "ser/core/options.h"

namespace ser {

struct LiveBlock {
  std::span<const float> samples;  ///< valid until the next block; empty: the end
  bool lost = false;               ///< sound is missing before it
  std::chrono::steady_clock::time_point arrival;
};

class LiveInput {
 public:
  LiveInput(std::string name, int sample_rate_hz, SampleFormat format)
      : name_(std::move(name)), sample_rate_hz_(sample_rate_hz), format_(format) {}
  virtual ~LiveInput() = default;

  /// "-" or the device's name.
  const std::string& name() const { return name_; }
  int sample_rate_hz() const { return sample_rate_hz_; }
  /// That loses nothing of it.
  SampleFormat format() const { return format_; }

  /// Waits for the next block. Ends when interrupted. Throws Error for a broken stream, or a device
  /// that is gone.
  virtual LiveBlock next() = 0;

  /// As PcmStream::notices.
  virtual std::vector<std::string> notices() const { return {}; }

 private:
  std::string name_;
  int sample_rate_hz_;
  SampleFormat format_;
};

struct LiveInputOptions {
  std::string device;
  int raw_rate = kUnsetInt;
  PcmEncoding raw_format = PcmEncoding::kInt16;

  void visit(FieldVisitor& v);
};

/// Opens stdin. Throws Error if it holds no WAV stream, or (with `raw_rate`) for a rate out of
/// bounds.
std::unique_ptr<LiveInput> open_standard_input(const LiveInputOptions& options);

/// Opens a microphone. Throws Error if there is none, none of that name, or no capture module.
std::unique_ptr<LiveInput> open_microphone(const LiveInputOptions& options);

void print_devices();

}  // namespace ser
