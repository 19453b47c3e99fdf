#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "audio/wav_format.h"
#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"

namespace ser {
namespace {

void check(const std::filesystem::path& path, const Waveform& wave) {
  if (wave.sample_rate_hz < 1)
    throw Error(fmt::format("{}: expected a sampling rate of at least 1 Hz, found {} Hz",
                            path.string(), wave.sample_rate_hz));
  if (!wave.samples.allFinite())
    throw Error(
        fmt::format("{}: expected finite samples to write, found NaN or infinity", path.string()));
  constexpr Eigen::Index kMostSamples = wav::kMostDataBytes / wav::bytes_of(SampleFormat::kFloat);
  if (wave.samples.size() > kMostSamples)
    throw Error(fmt::format("{}: expected at most {} samples in a WAV file, found {}",
                            path.string(), kMostSamples, wave.samples.size()));
}

}  // namespace

void write_wav(const std::filesystem::path& path, const Waveform& wave, SampleFormat format) {
  check(path, wave);
  const auto data_bytes = static_cast<std::uint32_t>(wave.samples.size()) * wav::bytes_of(format);
  AtomicFile file(path);
  std::string block = wav::header(data_bytes, wave.sample_rate_hz, format);
  for (const float sample : wave.samples) {
    wav::append_sample(block, sample, format);
    if (block.size() >= (1 << 16)) {
      file.write(block);
      block.clear();
    }
  }
  file.write(block);
  file.commit();
}

}  // namespace ser
