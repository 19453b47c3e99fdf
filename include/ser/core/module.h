#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace ser {

/// What is loaded while a program runs, and only where it is needed.
struct ModuleName {
  std::string file;    ///< "ser-capture.so"
  std::string symbol;  ///< what it exports: an object that begins with `const char* version`
  std::string use;     ///< for messages: "recording from a microphone"
  std::string source;  ///< likewise: "PortAudio is (Debian: portaudio19-dev)"
};

/// The object that the first module of that name in `folders` exports, loaded for good.
/// Throws Error if there is none, if a library that it needs is missing, or if it is of another
/// version than `version`.
const void* load_module(const ModuleName& name, std::span<const std::filesystem::path> folders,
                        const std::string& version);

}  // namespace ser
