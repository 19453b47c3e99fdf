#include "support/paths.h"

#include <cstdlib>

namespace ser {

std::filesystem::path source_folder() { return SER_SOURCE_DIR; }

std::filesystem::path program_folder() { return SER_BIN_DIR; }

std::filesystem::path fake_capture_folder() { return SER_FAKE_CAPTURE_DIR; }

std::filesystem::path test_data() {
  if (const char* folder = std::getenv("SER_TEST_DATA")) return folder;
  return source_folder().parent_path() / "shared";
}

}  // namespace ser
