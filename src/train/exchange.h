#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ser/core/error.h"
#include "ser/core/team.h"

namespace ser {

/// Makes the numbers of `count` units, dealt to the team, known to all of it: `visit(unit, put)`
/// calls `put` with span after span of the unit's numbers, of the same sizes everywhere.
template <typename Visit>
void share(Team& team, std::size_t count, const Visit& visit) {
  if (team.size() == 1) return;
  const std::size_t ranks = team.size();
  const auto of_rank = [&](std::size_t rank, const auto& put) {
    for (std::size_t unit = rank; unit < count; unit += ranks) visit(unit, put);
  };
  const std::size_t my_rank = team.rank();
  std::string mine;
  of_rank(my_rank, [&](const auto& numbers) {
    mine.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  });
  const std::vector<std::string> all = team.exchange(mine);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (rank == my_rank) continue;
    std::size_t begin = 0;
    of_rank(rank, [&](const auto& numbers) {
      if (begin + numbers.size_bytes() <= all[rank].size())
        std::memcpy(numbers.data(), all[rank].data() + begin, numbers.size_bytes());
      begin += numbers.size_bytes();
    });
    if (begin != all[rank].size())
      throw Error(
          "the processes do not work on the same: expected one program, with the same "
          "files and flags, in all");
  }
}

}  // namespace ser
