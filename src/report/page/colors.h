#pragma once

#include <cstddef>
#include <string>

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

}  // namespace ser::report
