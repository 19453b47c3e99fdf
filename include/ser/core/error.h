#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ser {

/// The one exception for whatever a user can cause: a bad file, option, size or folder.
/// The message says what was expected, what was found and where.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Result of `work()`; an Error it throws is thrown again as "context: message".
template <typename Work>
decltype(auto) with_context(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error(std::string(context) + ": " + error.what());
  }
}

}  // namespace ser
