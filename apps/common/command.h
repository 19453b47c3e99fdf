#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flags.h"
#include "ser/core/error.h"

namespace CLI {
class ParseError;
}

namespace ser {

/// Wrong usage: exit code 2 instead of 1.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Throws Error, or a kind of it, with a formatted message.
template <typename Kind = Error, typename... Values>
[[noreturn]] void fail(fmt::format_string<Values...> format, Values&&... values) {
  throw Kind(fmt::format(format, std::forward<Values>(values)...));
}

/// Result of `read()`, which reads the value of a flag; an Error it throws becomes a UsageError
/// that names the flag.
template <typename Read>
decltype(auto) from_flag(const std::string& flag, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const Error& error) {
    throw UsageError(flag + ": " + error.what());
  }
}

struct CommonOptions {
  int seed = 1;
  int threads = 0;
  bool quiet = false;
  bool verbose = false;

  void visit(FieldVisitor& v);
};

/// The frame of a command: common flags, --version, --completion, --config, exit codes, one
/// place that catches.
class Command {
 public:
  Command(const std::string& name, const std::string& purpose, const std::string& examples);
  ~Command();

  /// Words without a flag. `values` must outlive this object.
  void positional(const std::string& name, std::vector<std::string>& values,
                  const std::string& help);
  /// A flag followed by several words, shown in `group` of --help; count 0: any number of them.
  void words(const std::string& flag, std::vector<std::string>& values, int count,
             const std::string& type, const std::string& help, const std::string& group);

  /// Flags of which one is given: one on the command line takes the place of others in the file of
  /// --config.
  void alternatives(std::vector<std::string> flags) { alternatives_.push_back(std::move(flags)); }

  Flags& flags() { return flags_; }
  const CommonOptions& common() const { return common_; }

  /// Parses the arguments, then runs `body`, which returns the exit code. What cannot be written to
  /// stdout is an Error, too.
  /// 0 done; 1 Error, its message on stderr; 2 wrong usage.
  int run(int argc, char** argv, const std::function<int()>& body);

 private:
  /// What --help, --version and --completion print; returns the exit code.
  int print_text(const CLI::ParseError& what) const;

  std::unique_ptr<CLI::App> app_;
  std::vector<std::vector<std::string>*> word_lists_;  ///< of positionals and `words`
  std::vector<std::vector<std::string>> alternatives_;
  Flags flags_;
  CommonOptions common_;
};

}  // namespace ser
