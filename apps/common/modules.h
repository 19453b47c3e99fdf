#pragma once

#include <array>
#include <filesystem>

namespace ser {

/// Where this program's installation keeps what is loaded while it runs.
std::array<std::filesystem::path, 2> module_folders();

}  // namespace ser
