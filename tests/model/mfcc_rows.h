#pragma once

namespace ser {

/// Rows of the feature set `mfcc` with its default options, as small models read it.
inline constexpr int kMfccRows = 20;

}  // namespace ser
