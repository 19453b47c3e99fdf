#pragma once

#include <cstddef>
#include <cstdint>

#include "ser/corpus/feature_table.h"

namespace ser {

/// Hash, on top of another, of a clip of the table: what training takes from it (labels, votes and
/// features) and what it is known by. What is kept of a run is told by it to be of other data.
std::uint64_t hash_of_clip(const FeatureTable& table, std::size_t index, std::uint64_t hash);

}  // namespace ser
