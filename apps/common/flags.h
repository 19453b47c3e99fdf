#pragma once

#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ser {

/// Numbers that stand for "not given": --help shows no default for them.
inline constexpr int kUnsetInt = std::numeric_limits<int>::min();
inline constexpr double kUnsetNumber = -std::numeric_limits<double>::infinity();

/// Stands behind a word of the command line that CLI11 would read otherwise.
inline constexpr char kWordGuard = '\0';

std::string unguarded(std::string word);

/// The flag of a field: "trim_db" is --trim-db.
std::string flag_name(std::string_view field);

/// Option structs as command-line flags: a list is comma-separated words. Structs are registered
/// before parsing and filled in by `assign()`.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  /// A further spelling for a field added later: alias("output", "-o").
  void alias(const std::string& field, const std::string& spelling) { aliases_[field] = spelling; }

  /// What --help calls the values of text fields added later: show_as("FILE", {"output"}). A list
  /// of such texts is not cut at commas: the flag is given once for each.
  void show_as(const std::string& type, std::initializer_list<const char*> fields) {
    for (const char* field : fields) types_[field] = type;
  }

  /// `options` must outlive this object.
  template <typename Options>
  void add(Options& options, const std::string& group) {
    register_fields(Visitable(options), group);
  }

  /// Sets the fields whose flags were given. Throws UsageError for a value of the wrong type.
  void assign();

  /// Whether the flag of this field was given, on the command line or in the file of --config.
  bool given(const std::string& field) const;

  /// Throws UsageError "--field: why" for the first of the fields whose flag was given.
  void refuse(std::initializer_list<const char*> fields, const std::string& why) const;

 private:
  class Registrar;
  class Assigner;
  void register_fields(const Visitable& options, const std::string& group);

  CLI::App& app_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::string> types_;
  std::map<std::string, CLI::Option*> flags_;
  std::vector<Visitable> structs_;
};

}  // namespace ser
