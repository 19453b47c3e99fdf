#pragma once

#include <functional>

#include "command.h"
#include "ser/core/team.h"

namespace ser {

/// Runs `body` in the team of processes that a launcher (mpirun, srun) started together, or alone.
/// All but the first process are quiet; those on a machine share its cores, where --threads is 0.
/// If one fails, it says why, and all end. Throws Error if there are several and the module that
/// joins them is not there.
int run_in_team(CommonOptions& common, const std::function<int(Team&)>& body);

/// For a program that does not work in teams: warns, from the first process alone, if a launcher
/// started several.
void warn_if_launched(const std::string& what_happens);

/// Says, once, if processes that were started together seem to have the same shard: number I of
/// this one is not that of its rank.
void warn_of_shared_shard(int number);

/// What the first of several processes says when the launcher ends it: that one of the others is
/// gone, and what is kept of the work.
void say_if_others_end(const Team& team, const std::string& kept);

}  // namespace ser
