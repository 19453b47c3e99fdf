#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ser::fuzz {

/// JSON with one thing about its structure changed: a number set to a value at the edge of some
/// type, a shape multiplied, a value nested, a key doubled, a part put in the place of another, a
/// text made longer or shorter. Empty if `text` is no JSON.
std::string mutate_json(std::string_view text, unsigned seed);

}  // namespace ser::fuzz
