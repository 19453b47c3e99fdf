#pragma once

#include <array>
#include <filesystem>
#include <string>

namespace ser {

/// The file of a model: `name` itself if it is one, else "<name>.json" among the shipped models
/// ($SER_MODELS, share/ser/models beside the installed program, or the source tree's models/).
/// Empty means "default". Throws Error, naming the places looked at, if there is none.
std::filesystem::path find_model(const std::string& name);

/// Where this program's installation keeps what is loaded while it runs.
std::array<std::filesystem::path, 2> module_folders();

}  // namespace ser
