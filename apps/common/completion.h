#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ser {

std::vector<const CLI::Option*> flags_of(const CLI::App& app);

/// "-o", "--output".
std::vector<std::string> spellings(const CLI::Option& option);

/// A script that completes the flags of a command, and their values where they are known words; all
/// else is a file. shell: "bash" or "zsh". Throws UsageError for another one.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace ser
