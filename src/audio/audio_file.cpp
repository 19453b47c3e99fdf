#include "ser/audio/audio_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "audio/byte_source.h"
#include "audio/content.h"
#include "audio/decoder.h"
#include "audio/downmix.h"
#include "audio/sound_part.h"
#include "core/internal/fail.h"

namespace ser {
namespace {

constexpr std::int64_t kBlockSamples = 1 << 15;

}  // namespace

void check_limits(int sample_rate_hz, int num_channels) {
  if (sample_rate_hz < kLowestRateHz || sample_rate_hz > kHighestRateHz)
    fail("expected a sampling rate of {} to {} Hz, found {} Hz", kLowestRateHz, kHighestRateHz,
         sample_rate_hz);
  if (num_channels < 1 || num_channels > kMostChannels)
    fail("expected 1 to {} channels, found {}", kMostChannels, num_channels);
}

struct AudioReader::Impl {
  template <typename... From>
  explicit Impl(std::string_view shown, const From&... from) : name(shown), source(from...) {
    if (source.size() == 0) fail("{}: expected an audio file, found an empty one", name);
    found = find_sound(source);
    restart();
  }

  void restart();
  bool open(const SoundPart& part);
  void mix();
  bool open_next();
  std::int64_t read_mono();
  void check_finite() const;
  [[noreturn]] void fail_unsupported() const;
  void check_decoded() const;
  void end_part();
  void check_length() const;
  void leave_unread(std::string_view why);
  void add_notice(std::string notice);
  double seconds(std::int64_t frames) const { return static_cast<double>(frames) / sample_rate_hz; }

  std::string name;
  ByteSource source;
  SoundParts found;
  std::size_t part = 0;
  int sample_rate_hz = 0, num_channels = 0;
  std::optional<PartFile> file;
  std::unique_ptr<Decoder> decoder;  // ends before its file; none behind the last part
  std::optional<Downmix> downmix;
  std::vector<float> interleaved;
  std::vector<float> mono;
  std::int64_t frames_done = 0;
  std::int64_t frames_of_part = 0;
  std::optional<std::int64_t> damaged_at;  // where a decoder went on behind an error
  std::vector<std::string> notices;
};

void AudioReader::Impl::restart() {
  part = 0;
  frames_done = frames_of_part = 0;
  damaged_at.reset();
  notices = found.notices;
  if (!open(found.parts[0])) fail_unsupported();
  sample_rate_hz = decoder->sample_rate_hz();
  with_context(name, [&] { check_limits(sample_rate_hz, decoder->num_channels()); });
  mix();
}

bool AudioReader::Impl::open(const SoundPart& wanted) {
  decoder.reset();
  file.emplace(source, wanted);
  decoder = open_wav(*file);
  if (!decoder) decoder = open_sndfile(*file);
  return decoder != nullptr;
}

/// Averages the channels of the current part from here on.
void AudioReader::Impl::mix() {
  num_channels = decoder->num_channels();
  downmix.emplace(num_channels, sample_rate_hz);
}

/// Goes on to the next part, if there is one and it can be joined.
bool AudioReader::Impl::open_next() {
  if (part + 1 >= found.parts.size()) return false;
  if (!open(found.parts[++part])) {
    leave_unread(describe_content(source.text_at(found.parts[part].begin, 64)));
    return false;
  }
  if (decoder->sample_rate_hz() != sample_rate_hz || decoder->num_channels() > kMostChannels) {
    leave_unread(
        fmt::format("{} channels at {} Hz", decoder->num_channels(), decoder->sample_rate_hz()));
    return false;
  }
  if (decoder->num_channels() != num_channels) {
    add_notice(downmix->notice());
    mix();
  }
  frames_of_part = 0;
  return true;
}

/// The parts from the current one on are not read.
void AudioReader::Impl::leave_unread(std::string_view why) {
  decoder.reset();
  notices.push_back(
      fmt::format("left unread behind {:.1f} s: {} bytes of another file joined to it ({})",
                  seconds(frames_done), found.parts.back().end - found.parts[part].begin, why));
  part = found.parts.size();
}

void AudioReader::Impl::add_notice(std::string notice) {
  if (!notice.empty()) notices.push_back(std::move(notice));
}

void AudioReader::Impl::fail_unsupported() const {
  fail("{}: {}", name, unsupported_content(source.text_at(0, 512)));
}

std::int64_t AudioReader::Impl::read_mono() {
  if (!decoder) return 0;
  interleaved.resize(kBlockSamples / num_channels * num_channels);
  const std::int64_t got = decoder->read(interleaved);
  if (got > 0 && !damaged_at && decoder->failed()) damaged_at = frames_done + got;
  mono.clear();
  downmix->add(std::span(interleaved).first(got * num_channels), mono);
  return got;
}

void AudioReader::Impl::check_finite() const {
  bool all_finite = true;
  for (const float sample : mono) all_finite &= std::isfinite(sample);
  if (all_finite) return;
  const auto bad =
      std::find_if_not(mono.begin(), mono.end(), [](float x) { return std::isfinite(x); });
  const std::int64_t frame = frames_done + (bad - mono.begin());
  fail("{}: expected finite samples, found {} at frame {} ({:.3f} s)", name, *bad, frame,
       seconds(frame));
}

/// At the end of a part.
void AudioReader::Impl::check_decoded() const {
  if (!decoder) return;
  if (frames_of_part == 0 && decoder->header_frames() > 0)
    fail("{}: expected the {} frames of its header, found none that decodes", name,
         decoder->header_frames());
  if (decoder->failed())
    fail("{}: expected sound to its end, found a decoding error at {:.3f} s", name,
         seconds(frames_done));
}

/// Checks the part that has been read; tells what of it did not decode, unless its structure told.
void AudioReader::Impl::end_part() {
  check_decoded();
  if (!decoder) return;
  constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max() / 2;
  constexpr double kLeastMissing_s = 0.05;  // a block of some codecs
  const std::int64_t told = decoder->header_frames();
  decoder.reset();
  if (!found.parts[part].guessed && told < kUnknown && found.notices.empty() &&
      seconds(told - frames_of_part) > kLeastMissing_s)
    notices.push_back(fmt::format("{:.1f} of the {:.1f} s of its header could be decoded",
                                  seconds(frames_of_part), seconds(told)));
  else if (damaged_at && found.notices.empty())
    notices.push_back(fmt::format("damaged at about {:.1f} s: sound is missing or silent there",
                                  seconds(*damaged_at)));
  damaged_at.reset();
}

void AudioReader::Impl::check_length() const {
  if (frames_done == 0) fail("{}: expected sound, found a header without any frame", name);
  if (seconds(frames_done) < kShortestRecordingS)
    fail("{}: expected at least {} s of sound, found {:.4f} s ({} frames at {} Hz)", name,
         kShortestRecordingS, seconds(frames_done), frames_done, sample_rate_hz);
}

AudioReader::AudioReader(const std::filesystem::path& path)
    : impl_(std::make_unique<Impl>(path.string(), path)) {}

AudioReader::AudioReader(std::span<const std::byte> bytes, std::string_view name)
    : impl_(std::make_unique<Impl>(name, bytes)) {}

AudioReader::AudioReader(int descriptor, std::string_view name)
    : impl_(std::make_unique<Impl>(name, descriptor, name)) {}

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;

int AudioReader::sample_rate_hz() const { return impl_->sample_rate_hz; }

int AudioReader::num_channels() const { return impl_->num_channels; }

double AudioReader::share_read() const {
  return static_cast<double>(impl_->source.position()) / impl_->source.size();
}

std::vector<std::string> AudioReader::notices() const {
  std::vector<std::string> all = impl_->notices;
  if (std::string cancelled = impl_->downmix->notice(); !cancelled.empty())
    all.push_back(std::move(cancelled));
  return all;
}

void AudioReader::restart() { impl_->restart(); }

std::span<const float> AudioReader::next_block() {
  Impl& self = *impl_;
  std::int64_t got = 0;
  while ((got = self.read_mono()) == 0) {
    self.end_part();
    if (self.open_next()) continue;
    self.check_length();
    return {};
  }
  self.check_finite();
  self.frames_done += got;
  self.frames_of_part += got;
  return self.mono;
}

namespace {

/// Reads blocks until there are `most` samples at least.
Waveform read_samples(AudioReader& reader, Eigen::Index most) {
  Waveform wave{{}, reader.sample_rate_hz()};
  Eigen::Index size = 0;
  while (size < most) {
    const std::span<const float> block = reader.next_block();
    if (block.empty()) break;
    const Eigen::Index count = block.size();
    if (size + count > wave.samples.size())
      wave.samples.conservativeResize(std::max(2 * wave.samples.size(), size + count));
    wave.samples.segment(size, count) = Eigen::VectorXf::Map(block.data(), count);
    size += count;
  }
  wave.samples.conservativeResize(size);
  return wave;
}

}  // namespace

Waveform read_audio(AudioReader& reader) {
  return read_samples(reader, std::numeric_limits<Eigen::Index>::max());
}

Waveform read_start(AudioReader& reader, double most_s) {
  const auto most = static_cast<Eigen::Index>(most_s * reader.sample_rate_hz()) + 1;
  Waveform wave = read_samples(reader, most);
  if (wave.samples.size() > most) wave.samples.conservativeResize(most);
  return wave;
}

Waveform read_audio(const std::filesystem::path& path) {
  AudioReader reader(path);
  return read_audio(reader);
}

Waveform read_audio(std::span<const std::byte> bytes, std::string_view name) {
  AudioReader reader(bytes, name);
  return read_audio(reader);
}

}  // namespace ser
