#include "team.h"

#include <errno.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "command.h"
#include "installation.h"
#include "interrupt.h"
#include "ser/core/module.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "talk.h"

namespace ser {
namespace {

/// Processes that were started together, as launchers say: those of Open MPI, MPICH, and Slurm's
/// srun with one of their interfaces.
int launched_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* size = std::getenv(name)) return parse_int(size, name);
  if (std::getenv("PMIX_RANK"))
    if (const char* size = std::getenv("SLURM_STEP_NUM_TASKS"))
      return parse_int(size, "SLURM_STEP_NUM_TASKS");
  return 1;
}

/// Which of them this is, from 0.
int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(name)) return parse_int(rank, name);
  return 0;
}

/// Threads of a process that is not told: cores are shared by those on this machine.
int fair_threads() {
  const char* here = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const int processes = here ? parse_int(here, "OMPI_COMM_WORLD_LOCAL_SIZE") : 1;
  return std::max(1, available_threads() / std::max(1, processes));
}

std::unique_ptr<Team> join_team(int processes) {
  const void* module = load_module(
      {"ser-mpi.so", "ser_team_module", fmt::format("working with {} processes", processes),
       "MPI is (Debian: libopenmpi-dev)"},
      module_folders(), SER_VERSION);
  std::unique_ptr<Team> team = static_cast<const TeamModule*>(module)->join();
  if (team->size() != processes)
    fail(
        "expected {} processes that find each other, found {}: the program was built with another "
        "MPI than the one that started it",
        processes, team->size());
  return team;
}

/// Says why this process failed, unless the first one, which may know the same, said it before;
/// then ends all.
int fail(Team& team, const std::string& why, int exit_code) {
  constexpr std::chrono::milliseconds kLetFirstSpeak(300);
  if (team.rank() > 0) std::this_thread::sleep_for(kLetFirstSpeak);
  talk::put(fmt::format("{}, process {} of {}: {}\n", program_invocation_short_name,
                        team.rank() + 1, team.size(), why));
  std::fflush(nullptr);
  team.end_all(exit_code);
  return exit_code;
}

}  // namespace

int run_in_team(CommonOptions& common, const std::function<int(Team&)>& body) {
  const int processes = launched_processes();
  if (processes < 2) return body(alone());
  const std::unique_ptr<Team> team = join_team(processes);
  if (common.threads == 0) common.threads = fair_threads();
  if (team->rank() > 0) {
    common.quiet = true;
    talk::set_least(talk::Level::kError);
  }
  try {
    return body(*team);
  } catch (const UsageError& error) {
    return fail(*team, error.what(), 2);
  } catch (const std::exception& error) {
    return fail(*team, error.what(), 1);
  }
}

void warn_if_launched(const std::string& what_happens) {
  const int processes = launched_processes();
  if (processes < 2 || launched_rank() > 0) return;
  talk::warn("{} processes were started together: {}", processes, what_happens);
}

void warn_of_shared_shard(int number) {
  const int processes = launched_processes();
  if (processes < 2) return;
  // A shard of all is the right one of at most one rank: the first, or else the second, tells.
  const bool is_first_ones = (number - 1) % processes == 0;
  if (launched_rank() != (is_first_ones ? 1 : 0)) return;
  talk::warn(
      "{} processes were started together, and number {} of them has shard {}: those with the same "
      "--shard do the same, give each its own",
      processes, launched_rank() + 1, number);
}

void say_if_others_end(const Team& team, const std::string& kept) {
  if (team.size() == 1) return;
  say_when_ended(
      team.rank() > 0 ? "" : "one of the processes is gone, or the run was interrupted; " + kept);
}

}  // namespace ser
