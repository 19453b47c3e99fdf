#include "ser/corpus/audio_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <system_error>

#include "core/internal/fail.h"
#include "ser/core/text.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

// Suffixes of the formats that are read; the content decides when a file is opened.
constexpr std::array<std::string_view, 17> kAudioSuffixes = {
    ".wav",  ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif",
    ".aifc", ".au",   ".snd",  ".caf", ".w64", ".rf64", ".sph", ".nist"};

// Suffixes of sound that is not read.
constexpr std::array<std::string_view, 13> kForeignSuffixes = {
    ".m4a", ".mp4", ".aac", ".wma", ".amr", ".3gp", ".webm",
    ".mkv", ".mov", ".avi", ".ac3", ".ape", ".voc"};

// How files of sound begin (MP3 without a tag has too little to tell it by).
constexpr std::array<std::string_view, 7> kAudioHeads = {"RIFX", "RF64", "fLaC", "OggS",
                                                         "ID3",  "caff", ".snd"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// What to do about files with this suffix; empty where they are no sound.
std::string_view cure_of(std::string_view suffix) {
  return contains(kForeignSuffixes, suffix) ? " (`ffmpeg -i IN OUT.wav` converts one)" : "";
}

std::string suffix_of(const fs::path& file) { return to_lower(file.extension().string()); }

/// Links as data sets under version control have, whose recordings were not fetched.
std::string describe_dangling(const std::vector<std::string>& links) {
  return fmt::format("{} link{} to recordings that are not there ({})", links.size(),
                     links.size() == 1 ? "" : "s", some_of(links));
}

bool begins_like_audio(const fs::path& file) {
  std::array<char, 12> head{};
  std::ifstream(file, std::ios::binary).read(head.data(), head.size());
  const std::string_view text(head.data(), head.size());
  if (text.starts_with("RIFF") || text.starts_with("FORM"))  // also pictures and films
    return text.substr(8) == "WAVE" || text.substr(8, 3) == "AIF";
  return std::any_of(kAudioHeads.begin(), kAudioHeads.end(),
                     [&](std::string_view magic) { return text.starts_with(magic); });
}

class FolderWalk {
 public:
  explicit FolderWalk(fs::path root) : root_(std::move(root)) {
    std::error_code error;
    real_root_ = fs::canonical(root_, error);
  }

  FolderContents run() {
    walk("");
    while (!links_.empty()) {
      const fs::path link = *links_.begin();
      links_.erase(links_.begin());
      walk(link);
    }
    std::ranges::sort(contents_.audio);
    std::ranges::sort(contents_.dangling);
    return std::move(contents_);
  }

 private:
  void walk(const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(root_ / folder, error);
    if (!error && !entered_.insert(real).second) return;
    if (!error && holds_root(real)) {
      contents_.unreadable.push_back(
          fmt::format("{}: leads to a folder that holds this one", folder.generic_string()));
      return;
    }
    fs::directory_iterator entries;
    if (!error) entries = fs::directory_iterator(root_ / folder, error);
    std::set<fs::path> folders;
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const fs::path name = entries->path().filename();
      if (name.string().starts_with('.')) continue;
      std::error_code gone;  // a link to nothing is neither folder nor file
      if (entries->is_directory(gone))
        (entries->is_symlink(gone) ? links_ : folders).insert(folder / name);
      else if (entries->is_regular_file(gone))
        add_file(folder / name);
      else if (entries->is_symlink(gone) && contains(kAudioSuffixes, suffix_of(name)))
        contents_.dangling.push_back((folder / name).generic_string());
    }
    if (error && folder.empty())
      fail("{}: expected a folder that can be read: {}", root_.string(), error.message());
    if (error)
      contents_.unreadable.push_back(
          fmt::format("{}: {}", folder.generic_string(), error.message()));
    for (const fs::path& inner : folders) walk(inner);
  }

  /// True for `/` and the other folders on the way to the root.
  bool holds_root(const fs::path& real) const {
    return real != real_root_ &&
           std::mismatch(real.begin(), real.end(), real_root_.begin(), real_root_.end()).first ==
               real.end();
  }

  void add_file(const fs::path& file) {
    const std::string suffix = suffix_of(file);
    if (contains(kAudioSuffixes, suffix) ||
        (!contains(kForeignSuffixes, suffix) && begins_like_audio(root_ / file)))
      contents_.audio.push_back(file.generic_string());
    else
      ++contents_.other[suffix];
  }

  fs::path root_, real_root_;
  std::set<fs::path> entered_;
  std::set<fs::path> links_;
  FolderContents contents_;
};

}  // namespace

FolderContents list_folder(const fs::path& root) { return FolderWalk(root).run(); }

std::vector<std::string> describe_lost(const FolderContents& contents) {
  std::vector<std::string> parts;
  if (const std::size_t count = contents.unreadable.size(); count > 0)
    parts.push_back(fmt::format("{} folder{} that cannot be read ({})", count,
                                count == 1 ? "" : "s", some_of(contents.unreadable)));
  if (!contents.dangling.empty()) parts.push_back(describe_dangling(contents.dangling));
  for (const auto& [suffix, count] : contents.other)
    if (contains(kForeignSuffixes, suffix))
      parts.push_back(
          fmt::format("{} {} file{}{}", count, suffix, count == 1 ? "" : "s", cure_of(suffix)));
  return parts;
}

std::string folder_name(const fs::path& folder) {
  std::error_code error;
  const std::string name = fs::canonical(folder, error).filename().string();
  return is_utf8(name) ? name : "";
}

std::string describe_other(const FolderContents& contents) {
  constexpr std::size_t kNamed = 3;
  std::vector<std::pair<std::size_t, std::string>> kinds;
  if (!contents.dangling.empty()) return describe_dangling(contents.dangling);
  for (const auto& [suffix, count] : contents.other) kinds.emplace_back(count, suffix);
  if (kinds.empty()) return "nothing";
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> parts;
  for (const auto& [count, suffix] : kinds) {
    if (parts.size() == kNamed) {
      parts.push_back("others");
      break;
    }
    parts.push_back(fmt::format("{} {}{}file{}{}", count, suffix, suffix.empty() ? "" : " ",
                                count == 1 ? "" : "s", cure_of(suffix)));
  }
  return join(parts, ", ");
}

}  // namespace ser
