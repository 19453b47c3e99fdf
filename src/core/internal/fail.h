#pragma once

#include <fmt/format.h>

#include <utility>

#include "ser/core/error.h"

namespace ser {

/// Throws an Error, or a kind of it, whose message is formatted.
template <typename Kind = Error, typename... Values>
[[noreturn]] void fail(fmt::format_string<Values...> format, Values&&... values) {
  throw Kind(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace ser
