#pragma once

#include <string>
#include <string_view>

#include "ser/corpus/utterance.h"

namespace ser {

/// True for "votes_angry" and the like.
bool is_votes_column(std::string_view name);

/// The emotion of a column of votes, with or without "votes_" before it. Throws Error for none.
std::string voted_emotion(std::string_view name);

/// Adds the number in a cell to the clip's votes; an empty cell adds none. Throws Error, naming the
/// column, for what is no number or less than 0.
void add_votes(Utterance& clip, const std::string& emotion, std::string_view cell,
               std::string_view column);

}  // namespace ser
