#pragma once

#include <string>
#include <vector>

namespace ser::report {

/// Colours of a scale from low to high, "#rrggbb": dark violet over blue and green to light yellow.
/// Even to the eye: lightness rises, and hue turns, by the same amount from each colour to the next
/// in OKLCH, so that it also reads in grey and with colour blindness.
std::vector<std::string> colour_map(int count);

}  // namespace ser::report
