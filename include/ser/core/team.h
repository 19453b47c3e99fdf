#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ser {

/// Processes that work on one task, each with a number, its rank. What they exchange comes to all
/// in the order of ranks, so that all go on from the same bytes, and a result does not depend on
/// how many they are. Called by one thread at a time; all have to call in the same order: one that
/// does not come keeps the others waiting.
class Team {
 public:
  virtual ~Team() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// What every process gave, by rank.
  virtual std::vector<std::string> exchange(std::string_view mine) = 0;
  /// Ends all processes at once, this one among them, with an exit code.
  virtual void end_all(int exit_code) = 0;

  /// Whether unit `index` of some work is for this process: units are dealt in turn.
  bool deals_me(std::size_t index) const {
    return index % static_cast<std::size_t>(size()) == static_cast<std::size_t>(rank());
  }
};

/// A team of one process.
Team& alone();

/// `parallel_for` over the units that the team deals to this process.
void parallel_for_mine(const Team& team, std::size_t count, int threads,
                       const std::function<void(std::size_t)>& body);

/// A team is joined through a module, loaded while the program runs, so that nothing else needs the
/// libraries of MPI. It exports `extern "C" const ser::TeamModule ser_team_module`.
struct TeamModule {
  const char* version;  ///< of ser; program and module must agree
  std::unique_ptr<Team> (*join)();
};

}  // namespace ser
