#pragma once

#include <string>
#include <vector>

#include "ser/core/file_kind.h"

namespace ser {

/// What a command is about to write; an existing file of another kind is not replaced.
struct Output {
  std::string flag;  ///< "--report"
  std::string path;  ///< empty: nothing is written
  FileKind kind;
  bool is_folder = false;  ///< one of files of that kind
};

/// Looks at everything that a command will write before it does any work.
/// inputs: what it reads; folders and "-", standard input, among them.
/// Throws UsageError for an output that is an input or another output, by whatever name, or an
/// existing file of another kind; Error for a folder that is missing or cannot be written to.
void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs);

/// Throws UsageError for an existing file of another kind.
void check_kind(const Output& output);

/// A file's name with a suffix, or as much of it as a name may be long, and a hash of all of it.
std::string fitting_name(const std::string& name, const std::string& suffix);

}  // namespace ser
