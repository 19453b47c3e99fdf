#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// The number that a speaker goes by: 7 for "7", "07" and "7.0" (as spreadsheets and pandas write
/// it); nothing for a name.
std::optional<int> speaker_number(std::string_view speaker);

/// A speaker as written in all files: numbers with two digits at least ("07", "1062"), so that "7",
/// "07" and "7.0" are one; names as they are.
std::string canonical_speaker(std::string_view speaker);

/// Who speaks, told from the speakers of all other corpora: "ravdess:07"; "07" where the corpus is
/// not known. Empty for a clip without a speaker.
std::string speaker_name(const Utterance& clip);

/// The speaker of each clip.
std::vector<std::string> speaker_names(const std::vector<Utterance>& clips);

/// A clip of which only the speaker is known, from what `speaker_name` gave for it.
Utterance clip_of_speaker(std::string_view name);

}  // namespace ser
