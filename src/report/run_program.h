#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ser::report {

struct ProgramRun {
  int exit_code = 0;  ///< 128 + signal where one ended it
  std::string out;
  std::string err;
};

/// Runs a program that is looked for in PATH, with `input` as its standard input, to its end.
/// words: the program's name and its arguments; no shell sees them. Nothing if there is no such
/// program. Throws Error if the system cannot start it. May be called from several threads.
std::optional<ProgramRun> run_program(const std::vector<std::string>& words,
                                      std::string_view input);

}  // namespace ser::report
