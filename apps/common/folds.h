#pragma once

#include <cstdint>
#include <string>

#include "ser/corpus/split.h"

namespace ser {

/// The split that --cv names. Throws UsageError for one that is none.
SplitScheme split_scheme(const std::string& cv);

/// Warns of what the scheme does on these clips: speakers that leak, absent actors.
void warn_of_split(const std::vector<Utterance>& clips, const SplitScheme& scheme);

/// The fold that --cv and --fold name, with the warnings of the split; the whole corpus without
/// them. Throws UsageError for one flag without the other, and for a fold that is not there.
Fold chosen_fold(const std::vector<Utterance>& clips, const std::string& cv, int fold,
                 std::uint64_t seed);

}  // namespace ser
