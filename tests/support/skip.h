#pragma once

#include <gtest/gtest.h>

#include <filesystem>

/// Skips the test, saying so, where `path` is not there.
#define SER_SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (path).string() << " is not there"
