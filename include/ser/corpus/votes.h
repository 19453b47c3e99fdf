#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// What became of a file of votes.
struct JoinedVotes {
  std::size_t clips = 0;             ///< clips that have votes now
  std::vector<std::string> unknown;  ///< names in the file that no clip has
};

/// Gives clips the listeners' votes of a CSV file: a column `clip` or `path`, and one an emotion
/// ("angry" or "votes_angry") with the number of listeners who chose it. A name fits clips of that
/// relative path, file name, or file name without suffix. Throws Error, naming the line, for what
/// cannot be understood.
JoinedVotes join_votes(std::vector<Utterance>& clips, const std::filesystem::path& file);

}  // namespace ser
