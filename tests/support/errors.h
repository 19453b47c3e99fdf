#pragma once

#include <gmock/gmock.h>

#include <string>

#include "ser/core/error.h"

/// Expects `statement` to throw ser::Error whose message the matcher accepts.
#define EXPECT_ERROR(statement, matcher) \
  EXPECT_THAT([&] { static_cast<void>(statement); }, ::testing::ThrowsMessage<ser::Error>(matcher))
