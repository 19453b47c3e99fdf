#include "ser/audio/audio_file.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/byte_source.h"
#include "audio/content.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::int64_t kBlockSamples = 1 << 15;

struct CloseSound {
  void operator()(SNDFILE* sound) const { sf_close(sound); }
};

}  // namespace

void check_limits(int sample_rate_hz, int num_channels) {
  if (sample_rate_hz < kLowestRateHz || sample_rate_hz > kHighestRateHz)
    throw Error(fmt::format("expected a sampling rate of {} to {} Hz, found {} Hz", kLowestRateHz,
                            kHighestRateHz, sample_rate_hz));
  if (num_channels < 1 || num_channels > kMostChannels)
    throw Error(fmt::format("expected 1 to {} channels, found {}", kMostChannels, num_channels));
}

struct AudioReader::Impl {
  template <typename Source>
  Impl(const Source& from, std::string_view shown) : name(shown), source(from) {
    open();
  }

  void open();
  std::int64_t read_mono();
  void average_channels();
  void check_finite() const;
  [[noreturn]] void fail_unsupported() const;
  void check_end() const;
  double seconds(std::int64_t frames) const {
    return static_cast<double>(frames) / info.samplerate;
  }

  std::string name;
  ByteSource source;
  SF_INFO info{};
  std::unique_ptr<SNDFILE, CloseSound> sound;  // closed before its source
  std::vector<float> interleaved;
  std::vector<float> mono;
  std::int64_t frames_done = 0;
};

void AudioReader::Impl::open() {
  if (source.size() == 0)
    throw Error(fmt::format("{}: expected an audio file, found an empty one", name));
  SF_VIRTUAL_IO io = ByteSource::callbacks();
  sound.reset(sf_open_virtual(&io, SFM_READ, &info, &source));
  if (!sound) fail_unsupported();
  with_context(name, [&] { check_limits(info.samplerate, info.channels); });
  if (info.channels > 1) interleaved.resize(kBlockSamples);
}

void AudioReader::Impl::fail_unsupported() const {
  throw Error(fmt::format(
      "{}: expected WAV, AIFF, FLAC, Ogg, MP3 or another format that libsndfile reads, found {}; "
      "`ffmpeg -i IN OUT.wav` may convert it",
      name, describe_content(source.head(64))));
}

std::int64_t AudioReader::Impl::read_mono() {
  mono.resize(static_cast<std::size_t>(kBlockSamples / info.channels));
  const auto want = static_cast<sf_count_t>(mono.size());
  float* const out = info.channels == 1 ? mono.data() : interleaved.data();
  const sf_count_t got = std::max<sf_count_t>(0, sf_readf_float(sound.get(), out, want));
  mono.resize(static_cast<std::size_t>(got));
  if (info.channels > 1) average_channels();
  return got;
}

void AudioReader::Impl::average_channels() {
  const auto channels = static_cast<std::size_t>(info.channels);
  for (std::size_t i = 0; i < mono.size(); ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += interleaved[i * channels + c];
    mono[i] = static_cast<float>(sum / static_cast<double>(channels));
  }
}

void AudioReader::Impl::check_finite() const {
  bool all_finite = true;
  for (const float sample : mono) all_finite &= std::isfinite(sample);
  if (all_finite) return;
  const auto bad =
      std::find_if_not(mono.begin(), mono.end(), [](float x) { return std::isfinite(x); });
  const std::int64_t frame = frames_done + (bad - mono.begin());
  throw Error(fmt::format("{}: expected finite samples, found {} at frame {} ({:.3f} s)", name,
                          *bad, frame, seconds(frame)));
}

void AudioReader::Impl::check_end() const {
  if (frames_done == 0 && info.frames > 0)
    throw Error(fmt::format("{}: expected the {} frames of its header, found none that decodes",
                            name, info.frames));
  if (sf_error(sound.get()) != SF_ERR_NO_ERROR)
    throw Error(fmt::format("{}: expected sound to its end, found a decoding error at {:.3f} s",
                            name, seconds(frames_done)));
  if (frames_done == 0)
    throw Error(fmt::format("{}: expected sound, found a header without any frame", name));
  if (seconds(frames_done) < kShortestRecordingS)
    throw Error(
        fmt::format("{}: expected at least {} s of sound, found {:.4f} s ({} frames at {} Hz)",
                    name, kShortestRecordingS, seconds(frames_done), frames_done, info.samplerate));
}

AudioReader::AudioReader(const std::filesystem::path& path)
    : impl_(std::make_unique<Impl>(path, path.string())) {}

AudioReader::AudioReader(std::span<const std::byte> bytes, std::string_view name)
    : impl_(std::make_unique<Impl>(bytes, name)) {}

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;
AudioReader& AudioReader::operator=(AudioReader&&) noexcept = default;

int AudioReader::sample_rate_hz() const { return impl_->info.samplerate; }

int AudioReader::num_channels() const { return impl_->info.channels; }

double AudioReader::share_read() const {
  return static_cast<double>(impl_->source.position()) / static_cast<double>(impl_->source.size());
}

std::span<const float> AudioReader::next_block() {
  Impl& self = *impl_;
  const std::int64_t got = self.read_mono();
  if (got == 0) {
    self.check_end();
    return {};
  }
  self.check_finite();
  self.frames_done += got;
  return self.mono;
}

Waveform read_audio(AudioReader reader) {
  Waveform wave{{}, reader.sample_rate_hz()};
  Eigen::Index size = 0;
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block()) {
    const auto count = static_cast<Eigen::Index>(block.size());
    if (size + count > wave.samples.size())
      wave.samples.conservativeResize(std::max(2 * wave.samples.size(), size + count));
    wave.samples.segment(size, count) = Eigen::VectorXf::Map(block.data(), count);
    size += count;
  }
  wave.samples.conservativeResize(size);
  return wave;
}

Waveform read_audio(const std::filesystem::path& path) { return read_audio(AudioReader(path)); }

Waveform read_audio(std::span<const std::byte> bytes, std::string_view name) {
  return read_audio(AudioReader(bytes, name));
}

}  // namespace ser
