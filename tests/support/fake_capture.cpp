#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "ser/audio/capture.h"
#include "ser/core/error.h"

namespace ser {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Plays the raw 16-bit samples of $FAKE_CAPTURE at 16 kHz; after them, does what
/// $FAKE_CAPTURE_THEN says: "unplug" is an error, anything else silence that never comes.
/// $FAKE_CAPTURE_LOSES: the block before which sound is lost.
class FakeCapture : public Capture {
 public:
  FakeCapture() : file_(setting("FAKE_CAPTURE"), std::ios::binary) {}
  int sample_rate_hz() const override { return 16000; }

  Read read(std::span<float> buffer) override {
    std::size_t count = 0;
    for (char bytes[2]; count < std::min<std::size_t>(buffer.size(), 160) && file_.read(bytes, 2);)
      buffer[count++] = static_cast<float>(static_cast<std::int16_t>(
                            static_cast<unsigned char>(bytes[0]) | (bytes[1] << 8))) /
                        32768;
    if (count == 0 && setting("FAKE_CAPTURE_THEN") == "unplug") throw Error("the plug was pulled");
    return {count, count > 0 && std::to_string(blocks_++) == setting("FAKE_CAPTURE_LOSES")};
  }

 private:
  std::ifstream file_;
  int blocks_ = 0;
};

std::vector<CaptureDevice> devices() {
  return {{0, "Fake line in", "none", 44100, false}, {1, "Fake microphone", "none", 16000, true}};
}

}  // namespace
}  // namespace ser

extern "C" const ser::CaptureModule ser_capture_module = {
    SER_VERSION, [] { return std::string("a file"); }, ser::devices,
    [](int) -> std::unique_ptr<ser::Capture> { return std::make_unique<ser::FakeCapture>(); }};
