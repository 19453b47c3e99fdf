#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ser {

/// Something that sound can be recorded from.
struct CaptureDevice {
  int number = 0;      ///< stands for the device in `CaptureModule::open`
  std::string name;    ///< "HDA Intel PCH: ALC257 Analog (hw:0,0)"
  std::string system;  ///< "ALSA"
  int sample_rate_hz = 0;
  bool is_default = false;
};

/// Sound being recorded, mono.
class Capture {
 public:
  virtual ~Capture() = default;
  virtual int sample_rate_hz() const = 0;

  struct Read {
    std::size_t count = 0;  ///< samples at the beginning of the buffer
    bool lost = false;      ///< sound before them was lost: the reader came too late
  };
  /// What has come in, without waiting for more. Throws Error if the device is gone.
  virtual Read read(std::span<float> buffer) = 0;
};

/// Live capture is a module of its own, loaded while the program runs, so that nothing else needs
/// the sound system's libraries. A module exports `extern "C" const ser::CaptureModule
/// ser_capture_module`.
struct CaptureModule {
  const char* version;       ///< of ser; program and module must agree
  std::string (*library)();  ///< what it records with: "PortAudio 19.6"
  std::vector<CaptureDevice> (*devices)();
  /// Starts recording from a device of `devices()`. Throws Error if that fails.
  std::unique_ptr<Capture> (*open)(int number);
};

/// Loads the module, for good, from the first of `folders` that has one.
/// Throws Error if none has, if a library that it needs is missing, or if it is of another version
/// than `version`.
const CaptureModule& load_capture_module(std::span<const std::filesystem::path> folders,
                                         const std::string& version);

/// The device that a user means: its number, its name, or a part of it that no other has (whatever
/// the case of letters); empty: the default one. Throws Error if that is none or several.
const CaptureDevice& choose_device(const std::vector<CaptureDevice>& devices,
                                   const std::string& wanted);

}  // namespace ser
