#include "ser/audio/capture.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/internal/fail.h"
#include "ser/core/module.h"
#include "ser/core/text.h"

namespace ser {
namespace {

std::string quoted_names(const std::vector<CaptureDevice>& devices) {
  std::vector<std::string> names;
  for (const CaptureDevice& device : devices)
    names.push_back(fmt::format("{} '{}'", device.number, device.name));
  return join(names, ", ");
}

}  // namespace

const CaptureModule& load_capture_module(std::span<const std::filesystem::path> folders,
                                         const std::string& version) {
  static const ModuleName name{"ser-capture.so", "ser_capture_module",
                               "recording from a microphone",
                               "PortAudio is (Debian: portaudio19-dev)"};
  return *static_cast<const CaptureModule*>(load_module(name, folders, version));
}

const CaptureDevice& choose_device(const std::vector<CaptureDevice>& devices,
                                   const std::string& wanted) {
  if (devices.empty()) fail("expected a device to record from, found none");
  const auto named = [&](const CaptureDevice& device) {
    return wanted.empty() ? device.is_default
                          : device.name == wanted || std::to_string(device.number) == wanted;
  };
  const auto exact = std::find_if(devices.begin(), devices.end(), named);
  if (exact != devices.end()) return *exact;
  if (wanted.empty())
    fail("expected a default device to record from, found only {}", quoted_names(devices));
  const auto alike = [&](const CaptureDevice& device) {
    return to_lower(device.name).find(to_lower(wanted)) != std::string::npos;
  };
  std::vector<CaptureDevice> found;
  std::copy_if(devices.begin(), devices.end(), std::back_inserter(found), alike);
  if (found.size() != 1)
    fail("expected the number of a device or a part of one's name, found '{}': {} {}", wanted,
         found.empty() ? "there are" : "it may be", quoted_names(found.empty() ? devices : found));
  return *std::find_if(devices.begin(), devices.end(), alike);
}

}  // namespace ser
