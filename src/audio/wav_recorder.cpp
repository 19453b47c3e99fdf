#include "ser/audio/wav_recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "audio/wav_format.h"
#include "core/internal/fail.h"
#include "ser/core/error.h"

namespace ser {
namespace {

[[noreturn]] void fail_to_write(const std::filesystem::path& path) {
  fail("{}: expected to write a recording there, found: {}", path.string(), std::strerror(errno));
}

void write_at(int descriptor, std::string_view text, off_t offset,
              const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t put = ::pwrite(descriptor, text.data(), text.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail_to_write(path);
    text.remove_prefix(put);
    offset += put;
  }
}

}  // namespace

WavRecorder::WavRecorder(std::filesystem::path path, int sample_rate_hz, SampleFormat format,
                         std::uint32_t most_data_bytes)
    : path_(std::move(path)),
      sample_rate_hz_(sample_rate_hz),
      format_(format),
      most_data_bytes_(std::min(most_data_bytes, wav::kMostDataBytes)) {
  if (sample_rate_hz < 1) fail("expected a sampling rate above 0, found {} Hz", sample_rate_hz);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(path_);
  try {
    flush();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

WavRecorder::~WavRecorder() {
  try {
    close();
  } catch (const Error&) {
  }
}

void WavRecorder::write(std::span<const float> samples) {
  const std::uint32_t sample_bytes = wav::bytes_of(format_);
  for (const float sample : samples) {
    if (data_bytes_ + sample_bytes > most_data_bytes_) {
      full_ = true;
      break;
    }
    wav::append_sample(pending_, sample, format_);
    data_bytes_ += sample_bytes;
  }
  if (pending_.size() >= static_cast<std::size_t>(sample_rate_hz_) * sample_bytes) flush();
}

void WavRecorder::flush() {
  // Samples first: the header never promises what the file does not hold.
  write_at(
      descriptor_, pending_,
      static_cast<off_t>(wav::kHeaderBytes) + data_bytes_ - static_cast<off_t>(pending_.size()),
      path_);
  pending_.clear();
  write_at(descriptor_, wav::header(data_bytes_, sample_rate_hz_, format_), 0, path_);
}

void WavRecorder::close() {
  if (descriptor_ < 0) return;
  const int descriptor = descriptor_;
  try {
    flush();
  } catch (...) {
    descriptor_ = -1;
    ::close(descriptor);
    throw;
  }
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail_to_write(path_);
}

}  // namespace ser
