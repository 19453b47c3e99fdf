#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ser::report {

/// "#rrggbb" of a colour in OKLCH (Ottosson 2020, "A perceptual color space for image processing"):
/// lightness 0 to 1, hue in degrees. Chroma is lowered until a screen can show the colour.
std::string oklch(double lightness, double chroma, double hue);

/// Shades of the ramp that numbers are coloured by, from nothing to all.
inline constexpr std::size_t kRampShades = 11;

/// Style sheet of a page's colours, for light screens and paper and for dark screens: as many
/// categories as asked for ("--class0", ...; hues evenly spaced) and a ramp whose lightness rises
/// in equal steps ("--ramp0", ...).
std::string palette_css(std::size_t categories);

/// Colours of a scale from low to high, "#rrggbb": dark violet over blue and green to light yellow.
/// Even to the eye: lightness rises, and hue turns, by the same amount from each colour to the next
/// in OKLCH, so that it also reads in grey and with colour blindness.
std::vector<std::string> colour_map(int count);

}  // namespace ser::report
