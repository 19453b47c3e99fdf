#include "outputs.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "command.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 255;

/// What a name leads to, through links; none where nothing is there. Throws Error for links in a
/// circle, which a file would replace.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENAMETOOLONG || errno == ELOOP) fail("{}: {}", path.string(), std::strerror(errno));
  return std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool may_be_replaced(const Output& output, std::string_view head) {
  return head.empty() || begins_like(output.kind, head) ||
         (output.kind == FileKind::kFeatures && begins_like(FileKind::kTable, head));
}

bool is_read_again(FileKind kind) {
  return kind == FileKind::kCheckpoint || kind == FileKind::kFeatureIndex;
}

/// The folder must be there, or for a folder of pictures one that it can be made in.
void check_folder(const Output& output) {
  fs::path folder = fs::path(output.path);
  std::error_code error;
  if (output.is_folder) {
    while (folder.has_parent_path() && folder != folder.root_path() && !fs::exists(folder, error))
      folder = folder.parent_path();
    if (!fs::exists(folder, error)) folder = ".";
  } else {
    folder = followed(folder);
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  if (!fs::is_directory(folder, error))
    fail("{}: expected a folder to write to, found {}", folder.string(),
         fs::exists(folder, error) ? "a file" : "none");
  if (const auto there = status_of(folder); there && there->st_nlink == 0)
    fail("{}: cannot be written: its folder was removed", output.path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    fail("{}: cannot be written: {}", output.path, std::strerror(errno));
}

/// Where a file will be, links followed.
fs::path place_of(const Output& output) {
  std::error_code error;
  const fs::path file = fs::absolute(followed(output.path), error);
  const fs::path place = fs::weakly_canonical(file, error);
  return error ? file.lexically_normal() : place;
}

void check_output(const Output& output, const std::vector<std::string>& inputs) {
  const std::optional<struct stat> there = status_of(output.path);
  if (there && !output.is_folder) {
    if (S_ISDIR(there->st_mode)) fail("{}: expected a file to write, found a folder", output.path);
    if (!S_ISREG(there->st_mode)) {
      if (is_read_again(output.kind))
        fail<UsageError>("{}: {} is read again: expected a file, found a pipe or a device",
                         output.flag, output.path);
      return;  // a device or a pipe takes what comes
    }
    for (const std::string& input : inputs) {
      const auto read = status_of(input == "-" ? "/dev/stdin" : input);
      if (read && is_same(*there, *read))
        fail<UsageError>("{}: {} is what is read: expected another file to write", output.flag,
                         output.path);
    }
    check_kind(output);
  }
  check_folder(output);
}

}  // namespace

void check_kind(const Output& output) {
  if (!may_be_replaced(output, head_of(output.path)))
    fail<UsageError>("{}: {} is there and is not {}: expected another name, or that file gone",
                     output.flag, output.path, name_of(output.kind));
}

void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs) {
  std::vector<Output> written;
  for (const Output& output : outputs) {
    if (output.path.empty()) continue;
    if (output.path == "-")
      fail<UsageError>("{}: expected a name, found '-'; standard output is /dev/stdout",
                       output.flag);
    check_output(output, inputs);
    // Features of several files have an index beside them, which goes where they are one.
    if (const Output index{output.flag, output.path + ".index.json", FileKind::kFeatureIndex};
        output.kind == FileKind::kFeatures && !is_streamed(output.path) &&
        fs::path(index.path).filename().string().size() <= kLongestName)
      check_output(index, inputs);
    const auto there = status_of(output.path);
    for (const Output& other : written) {
      const auto twin = status_of(other.path);
      const bool both = there && twin && S_ISREG(there->st_mode) && is_same(*there, *twin);
      if (both || place_of(output) == place_of(other))
        if (!there || S_ISREG(there->st_mode))
          fail<UsageError>("{} and {}: expected two files, found {} twice", other.flag, output.flag,
                           output.path);
    }
    written.push_back(output);
  }
}

std::string fitting_name(const std::string& name, const std::string& suffix) {
  if (name.size() + suffix.size() <= kLongestName) return name + suffix;
  const std::string end = "~" + fingerprint(name) + suffix;
  std::size_t kept = kLongestName - end.size();
  while (kept > 0 && (name[kept] & 0xc0) == 0x80) --kept;  // no half letters of UTF-8
  return name.substr(0, kept) + end;
}

}  // namespace ser
