#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ser {

/// What a folder holds, hidden files left out.
struct FolderContents {
  std::vector<std::string> audio;            ///< relative paths with '/', sorted
  std::map<std::string, std::size_t> other;  ///< files that are no audio, counted by suffix
};

/// Walks `root`. Every folder is entered once, by its own path rather than through a link where it
/// has both, so links that form a loop end. Throws Error for a folder that cannot be read.
FolderContents list_folder(const std::filesystem::path& root);

/// "3 .txt files, 1 .pdf file", most of them first; "nothing" where there is none.
std::string describe_other(const FolderContents& contents);

}  // namespace ser
