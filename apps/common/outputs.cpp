#include "outputs.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "command.h"
#include "ser/core/atomic_file.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// What a name leads to, through links; none where nothing is there.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENAMETOOLONG) fail("{}: {}", path.string(), std::strerror(errno));
  return std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// A JSON object with a text near its beginning, as its format or a key.
bool is_json_of(std::string_view head, std::string_view text) {
  return head.starts_with('{') && head.find(fmt::format("\"{}\"", text)) != std::string_view::npos;
}

/// "0.5<tab>2.5<tab>angry".
bool is_labels(std::string_view head) {
  const std::size_t start = head.find_first_not_of("0123456789.");
  return start > 0 && start != std::string_view::npos && head[start] == '\t';
}

/// The size of a JSON header, of less than 4 GiB, then the header.
bool is_safetensors(std::string_view head) {
  return head.size() > 8 && head.substr(4, 5) == std::string_view("\0\0\0\0{", 5);
}

struct KindRow {
  std::string_view name;
  bool (*begins)(std::string_view head);  ///< whether a file may, as far as its first bytes tell
};
using Head = std::string_view;
constexpr std::array<KindRow, 14> kKinds = {{
    // in the order of OutputKind
    {"a feature file",
     [](Head h) { return is_safetensors(h) || h.starts_with("path,corpus,emotion,"); }},
    {"a model", [](Head h) { return is_json_of(h, "ser-model"); }},
    {"a result file", [](Head h) { return is_json_of(h, "accuracy"); }},
    {"a kept voice", [](Head h) { return is_json_of(h, "ser-voice"); }},
    {"a file of labels", is_labels},
    {"a file of subtitles", [](Head h) { return h.find(" --> ") != Head::npos; }},
    {"a page (HTML)", [](Head h) { return h.starts_with('<'); }},
    {"a picture (SVG or PNG)",
     [](Head h) { return h.starts_with('<') || h.starts_with("\x89PNG"); }},
    {"a checkpoint", is_safetensors},
    {"a recipe", [](Head h) { return is_json_of(h, "description"); }},
    {"the file of a search", [](Head h) { return is_json_of(h, "ser-search-1"); }},
    {"an ONNX file", [](Head h) { return h.starts_with('\x08'); }},  // its first field
    {"a WAV file", [](Head h) { return h.starts_with("RIFF"); }},
    {"a folder", [](Head) { return false; }},
}};
static_assert(kKinds.size() == static_cast<std::size_t>(OutputKind::kFolder) + 1);

void check_kind(const Output& output) {
  std::array<char, 512> head{};
  std::ifstream file(output.path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view text(head.data(), file.gcount());
  const KindRow& kind = kKinds[static_cast<std::size_t>(output.kind)];
  if (!text.empty() && !kind.begins(text))
    fail<UsageError>("{}: {} is there and is not {}: expected another name, or that file gone",
                     output.flag, output.path, kind.name);
}

/// The folder must be there, or for a folder of pictures one that it can be made in.
void check_folder(const Output& output) {
  fs::path folder = fs::path(output.path);
  std::error_code error;
  if (output.kind == OutputKind::kFolder) {
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

void check_output(const Output& output, const std::vector<std::string>& inputs) {
  const std::optional<struct stat> there = status_of(output.path);
  if (there && output.kind != OutputKind::kFolder) {
    if (S_ISDIR(there->st_mode)) fail("{}: expected a file to write, found a folder", output.path);
    if (!S_ISREG(there->st_mode)) return;  // a device or a pipe takes what comes
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

void check_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs) {
  std::vector<Output> written;
  for (const Output& output : outputs) {
    if (output.path.empty()) continue;
    if (output.path == "-")
      fail<UsageError>("{}: expected a name, found '-'; standard output is /dev/stdout",
                       output.flag);
    check_output(output, inputs);
    const auto there = status_of(output.path);
    for (const Output& other : written) {
      const auto twin = status_of(other.path);
      const bool both = there && twin && S_ISREG(there->st_mode) && is_same(*there, *twin);
      if (both ||
          fs::path(output.path).lexically_normal() == fs::path(other.path).lexically_normal())
        if (!there || S_ISREG(there->st_mode))
          fail<UsageError>("{} and {}: expected two files, found {} twice", other.flag, output.flag,
                           output.path);
    }
    written.push_back(output);
  }
}

}  // namespace ser
