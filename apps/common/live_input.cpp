#include "live_input.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "command.h"
#include "installation.h"
#include "interrupt.h"
#include "ser/audio/capture.h"
#include "talk.h"

namespace ser {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A device that delivers nothing for so long is taken for lost.
constexpr milliseconds kDeviceLost(3000);
constexpr milliseconds kDevicePoll(5);
constexpr int kStdinPoll_ms = 100;
constexpr std::size_t kBlockSamples = 4096;

/// The next bytes of stdin; none at its end, or when interrupted.
std::size_t read_standard_input(std::span<std::byte> buffer) {
  while (!interrupted()) {
    pollfd wait{STDIN_FILENO, POLLIN, 0};
    // Nothing yet, or a signal: reading now could wait for ever.
    if (::poll(&wait, 1, kStdinPoll_ms) <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("standard input: reading failed: {}", std::strerror(errno));
  }
  return 0;
}

const CaptureModule& capture_module() {
  const CaptureModule& module = load_capture_module(module_folders(), SER_VERSION);
  talk::debug("recording with {}", module.library());
  return module;
}

class Microphone : public LiveInput {
 public:
  Microphone(const std::string& name, std::unique_ptr<Capture> capture)
      : LiveInput(name, capture->sample_rate_hz(), SampleFormat::kInt16),
        capture_(std::move(capture)),
        buffer_(kBlockSamples) {}

  LiveBlock next() override {
    const Clock::time_point begin = Clock::now();
    while (!interrupted()) {
      const Capture::Read read = with_context(name(), [&] { return capture_->read(buffer_); });
      const Clock::time_point now = Clock::now();
      if (read.count > 0) return {std::span(buffer_).first(read.count), read.lost, now};
      if (now - begin > kDeviceLost)
        fail("{}: no sound for {} s: the device is gone, or another program has taken it", name(),
             kDeviceLost.count() / 1000);
      std::this_thread::sleep_for(kDevicePoll);
    }
    return {};
  }

 private:
  std::unique_ptr<Capture> capture_;
  std::vector<float> buffer_;
};

/// The format that loses nothing of samples spelt so.
SampleFormat lossless_format(PcmEncoding encoding) {
  return encoding == PcmEncoding::kInt16 || encoding == PcmEncoding::kUint8 ? SampleFormat::kInt16
                                                                            : SampleFormat::kFloat;
}

class StandardInput : public LiveInput {
 public:
  explicit StandardInput(PcmStream stream)
      : LiveInput("-", stream.format().sample_rate_hz, lossless_format(stream.format().encoding)),
        stream_(std::move(stream)) {}

  LiveBlock next() override {
    const std::span<const float> samples = stream_.next_block();
    return {samples, false, Clock::now()};
  }

  std::vector<std::string> notices() const override { return stream_.notices(); }

 private:
  PcmStream stream_;
};

}  // namespace

void LiveInputOptions::visit(FieldVisitor& v) {
  v.field("device", device, "Microphone: its number or a part of its name (default: the system's)");
  v.field("raw_rate", raw_rate, "stdin is raw mono samples at this rate (Hz), not a WAV stream",
          Range{kLowestRateHz, kHighestRateHz});
  v.choice("raw_format", raw_format,
           {{"u8", PcmEncoding::kUint8},
            {"s16le", PcmEncoding::kInt16},
            {"s24le", PcmEncoding::kInt24},
            {"s32le", PcmEncoding::kInt32},
            {"f32le", PcmEncoding::kFloat32},
            {"f64le", PcmEncoding::kFloat64}},
           "How a raw sample is spelt");
}

std::unique_ptr<LiveInput> open_standard_input(const LiveInputOptions& options) {
  const std::string name = "standard input";
  if (::isatty(STDIN_FILENO))
    throw Error(name + ": expected sound, found a terminal: arecord | ser-predict --live -");
  if (options.raw_rate == kUnsetInt)
    return std::make_unique<StandardInput>(PcmStream(read_standard_input, name));
  const PcmFormat raw{options.raw_format, options.raw_rate, 1};
  return std::make_unique<StandardInput>(PcmStream(read_standard_input, name, raw));
}

std::unique_ptr<LiveInput> open_microphone(const LiveInputOptions& options) {
  const CaptureModule& module = capture_module();
  const CaptureDevice device = choose_device(module.devices(), options.device);
  return std::make_unique<Microphone>(device.name, module.open(device.number));
}

void print_devices() {
  const std::vector<CaptureDevice> devices = capture_module().devices();
  if (devices.empty()) fail("expected a device to record from, found none");
  for (const CaptureDevice& device : devices)
    fmt::print("{} {:>3}  {} ({}, {} Hz)\n", device.is_default ? '*' : ' ', device.number,
               device.name, device.system, device.sample_rate_hz);
}

}  // namespace ser
