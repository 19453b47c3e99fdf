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
  std::vector<std::string> unreadable;       ///< folders, with the reason: "b: Permission denied"
  std::vector<std::string> dangling;         ///< links with a suffix of audio that lead to nothing
};

/// Walks `root`. Files are audio by their suffix or, under another one, by their first bytes; their
/// names may be of any bytes. Every folder is entered once, by its own path rather than through a
/// link where it has both, so links that form a loop end; one that leads to a folder around `root`
/// is named among the unreadable. Throws Error if `root` cannot be read.
FolderContents list_folder(const std::filesystem::path& root);

/// What is left out of a folder though it may hold sound, and why: folders that cannot be read,
/// links to nothing, formats that cannot be read (m4a, mp4, ...). Empty where there is none.
std::vector<std::string> describe_lost(const FolderContents& contents);

/// The folder's own name, also for "." and "a/.."; empty if it is not UTF-8.
std::string folder_name(const std::filesystem::path& folder);

/// "3 .txt files, 1 .pdf file", most of them first, or the links to recordings that are not there;
/// "nothing" where there is none.
std::string describe_other(const FolderContents& contents);

}  // namespace ser
