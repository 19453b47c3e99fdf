#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ser/core/rng.h"
#include "ser/corpus/utterance.h"

namespace ser {

/// A speaker and the clips, by index, that are theirs.
struct Speaker {
  std::string name;  ///< as `speaker_name` gives it
  std::string corpus;
  std::string gender;         ///< of the first clip that has one
  std::optional<int> number;  ///< that the speaker goes by ("07", "1062"), if it is one
  std::vector<int> clips;
};

/// The speakers of the clips chosen: corpora alphabetically, within each numbers by value, then
/// names as text. Clips without a speaker are left out.
std::vector<Speaker> group_by_speaker(const std::vector<Utterance>& clips,
                                      const std::vector<int>& chosen);

/// Deals the recordings among the chosen clips into `parts` parts, each of which gets an equal
/// share of every emotion. All clips of a recording (`recording_numbers`) stay together.
std::vector<std::vector<int>> deal_by_emotion(const std::vector<Utterance>& clips,
                                              const std::vector<int>& chosen, std::size_t parts,
                                              Rng rng);

}  // namespace ser
