#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ser/core/rng.h"
#include "ser/corpus/utterance.h"

namespace ser {

/// A speaker of one or several corpora and the clips, by index, that are theirs.
struct Speaker {
  std::string id;
  std::string corpus;
  std::string gender;  ///< of the first clip that has one
  std::vector<int> clips;

  /// The number that the id spells ("07", "1062"), if it does.
  std::optional<int> number() const;
  /// "07", or "ravdess:07" to tell it from those of other corpora.
  std::string name(std::size_t num_corpora) const;
};

/// The speakers of the clips chosen: corpora alphabetically, then ids as numbers where all of them
/// are numbers, else as text. Clips without a speaker are left out.
std::vector<Speaker> group_by_speaker(const std::vector<Utterance>& clips,
                                      const std::vector<int>& chosen);

/// Corpora among `speakers`.
std::size_t count_corpora(const std::vector<Speaker>& speakers);

/// Deals the recordings among the chosen clips into `parts` parts, each of which gets an equal
/// share of every emotion. A recording and its augmented copies stay together.
std::vector<std::vector<int>> deal_by_emotion(const std::vector<Utterance>& clips,
                                              const std::vector<int>& chosen, std::size_t parts,
                                              Rng rng);

}  // namespace ser
