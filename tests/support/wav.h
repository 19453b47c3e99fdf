#pragma once

#include "ser/audio/wav_recorder.h"
#include "ser/audio/waveform.h"

namespace ser {

/// Writes a mono WAV file.
inline void write_wav(const std::filesystem::path& path, const Waveform& wave,
                      SampleFormat format = SampleFormat::kInt16) {
  WavRecorder file(path, wave.sample_rate_hz, format);
  file.write({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
  file.close();
}

}  // namespace ser
