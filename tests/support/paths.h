#pragma once

#include <filesystem>

namespace ser {

/// The source tree.
std::filesystem::path source_folder();

/// Where ser-extract, ser-train, ser-eval and ser-predict were built.
std::filesystem::path program_folder();

/// Where the module is that plays a file in place of a microphone.
std::filesystem::path fake_capture_folder();

/// Test data outside the repository: $SER_TEST_DATA, or `shared` beside the source tree.
std::filesystem::path test_data();

}  // namespace ser
