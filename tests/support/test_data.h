#pragma once

#include <cstdlib>
#include <filesystem>

namespace ser {

/// The folder of test data outside the repository: $SER_TEST_DATA, or `shared` beside the source.
inline std::filesystem::path test_data() {
  if (const char* folder = std::getenv("SER_TEST_DATA")) return folder;
  return std::filesystem::path(SER_SOURCE_DIR).parent_path() / "shared";
}

}  // namespace ser
