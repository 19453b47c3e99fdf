#pragma once

#include <string>

namespace CLI {
class App;
}

namespace ser {

/// A script that completes the flags of a command, and their values where they are known words; all
/// else is a file. shell: "bash" or "zsh". Throws UsageError for another one.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace ser
