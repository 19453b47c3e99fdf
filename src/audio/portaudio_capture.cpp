#include <dlfcn.h>
#include <fmt/format.h>
#include <portaudio.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ser/audio/capture.h"
#include "ser/core/error.h"

namespace ser {
namespace {

/// Sound that the device holds for a reader who comes late.
constexpr double kBufferS = 1.0;
/// What the device hands over at a time.
constexpr double kPeriodS = 0.01;

void say_nothing(const char*, ...) {}

/// Keeps a sound system from talking on the program's stderr, if PortAudio has brought it along.
void silence(const char* library, const char* set_handler) {
  void* handle = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (!handle) return;
  using SetHandler = void (*)(void (*)(const char*, ...));
  if (const auto set = reinterpret_cast<SetHandler>(::dlsym(handle, set_handler))) set(say_nothing);
}

void check(PaError error, const std::string& what) {
  if (error >= paNoError) return;
  const PaHostErrorInfo* host = Pa_GetLastHostErrorInfo();
  const bool explained =
      error == paUnanticipatedHostError && host && host->errorText && *host->errorText;
  throw Error(fmt::format("{}: {}", what, explained ? host->errorText : Pa_GetErrorText(error)));
}

/// PortAudio, started at its first use; it ends with the process.
void start_portaudio() {
  static const bool started = [] {
    silence("libasound.so.2", "snd_lib_error_set_handler");
    silence("libjack.so.0", "jack_set_error_function");
    silence("libjack.so.0", "jack_set_info_function");
    check(Pa_Initialize(), "starting PortAudio");
    return true;
  }();
  static_cast<void>(started);
}

class PortAudioCapture : public Capture {
 public:
  explicit PortAudioCapture(int number) {
    const PaDeviceInfo* device = Pa_GetDeviceInfo(number);
    if (!device) throw Error(fmt::format("expected a device of the list, found {}", number));
    name_ = device->name;
    rate_hz_ = device->defaultSampleRate;
    // 16 bits are what every device has: nothing is converted on the way.
    const PaStreamParameters input{number, 1, paInt16, kBufferS, nullptr};
    const auto period = static_cast<unsigned long>(std::lround(kPeriodS * rate_hz_));
    check(Pa_OpenStream(&stream_, &input, nullptr, rate_hz_, period, paNoFlag, nullptr, nullptr),
          name_);
    const PaError started = Pa_StartStream(stream_);
    if (started != paNoError) Pa_CloseStream(stream_);
    check(started, name_);
  }
  ~PortAudioCapture() override { Pa_AbortStream(stream_), Pa_CloseStream(stream_); }
  PortAudioCapture(const PortAudioCapture&) = delete;
  PortAudioCapture& operator=(const PortAudioCapture&) = delete;

  int sample_rate_hz() const override { return static_cast<int>(std::lround(rate_hz_)); }

  Read read(std::span<float> buffer) override {
    const signed long available = Pa_GetStreamReadAvailable(stream_);
    check(static_cast<PaError>(std::min(available, 0L)), name_);
    const std::size_t count = std::min(buffer.size(), static_cast<std::size_t>(available));
    if (count == 0) return {};
    samples_.resize(count);
    const PaError error = Pa_ReadStream(stream_, samples_.data(), count);
    if (error != paInputOverflowed) check(error, name_);
    std::transform(samples_.begin(), samples_.end(), buffer.begin(),
                   [](std::int16_t sample) { return static_cast<float>(sample) / 32768; });
    return {count, error == paInputOverflowed};
  }

 private:
  std::string name_;
  double rate_hz_ = 0;
  PaStream* stream_ = nullptr;
  std::vector<std::int16_t> samples_;
};

std::string library() { return Pa_GetVersionInfo()->versionText; }

std::vector<CaptureDevice> devices() {
  start_portaudio();
  std::vector<CaptureDevice> found;
  for (int i = 0; i < Pa_GetDeviceCount(); ++i) {
    const PaDeviceInfo& device = *Pa_GetDeviceInfo(i);
    if (device.maxInputChannels < 1) continue;
    found.push_back({i, device.name, Pa_GetHostApiInfo(device.hostApi)->name,
                     static_cast<int>(std::lround(device.defaultSampleRate)),
                     i == Pa_GetDefaultInputDevice()});
  }
  return found;
}

std::unique_ptr<Capture> open(int number) {
  start_portaudio();
  return std::make_unique<PortAudioCapture>(number);
}

}  // namespace
}  // namespace ser

extern "C" const ser::CaptureModule ser_capture_module = {SER_VERSION, ser::library, ser::devices,
                                                          ser::open};
