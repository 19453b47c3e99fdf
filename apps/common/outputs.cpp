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

namespace ser {
namespace {

namespace fs = std::filesystem;

/// What a name leads to, through links; none where nothing is there.
std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENAMETOOLONG) throw Error(fmt::format("{}: {}", path, std::strerror(errno)));
  return std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string_view name_of(OutputKind kind) {
  switch (kind) {
    case OutputKind::kFeatures:
      return "a feature file";
    case OutputKind::kModel:
      return "a model";
    case OutputKind::kResult:
      return "a result file";
    case OutputKind::kVoice:
      return "a kept voice";
    case OutputKind::kLabels:
      return "a file of labels";
    case OutputKind::kSubtitles:
      return "a file of subtitles";
    case OutputKind::kPage:
      return "a page (HTML)";
    case OutputKind::kPicture:
      return "a picture (SVG or PNG)";
    case OutputKind::kCheckpoint:
      return "a checkpoint";
    case OutputKind::kRecipe:
      return "a recipe";
    case OutputKind::kSearch:
      return "the file of a search";
    case OutputKind::kOnnx:
      return "an ONNX file";
    case OutputKind::kRecording:
      return "a WAV file";
    case OutputKind::kFolder:
      return "a folder";
  }
  return "";
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

/// Whether a file that begins so is of the kind, as far as its first bytes tell.
bool begins_as(OutputKind kind, std::string_view head) {
  // The size of a JSON header, of less than 4 GiB, then the header.
  constexpr std::string_view kHighBytes("\0\0\0\0{", 5);
  const bool safetensors = head.size() > 8 && head.substr(4, 5) == kHighBytes;
  switch (kind) {
    case OutputKind::kFeatures:
      return safetensors || head.starts_with("path,corpus,emotion,");
    case OutputKind::kModel:
      return is_json_of(head, "ser-model");
    case OutputKind::kResult:
      return is_json_of(head, "accuracy");
    case OutputKind::kVoice:
      return is_json_of(head, "ser-voice");
    case OutputKind::kLabels:
      return is_labels(head);
    case OutputKind::kSubtitles:
      return head.find(" --> ") != std::string_view::npos;
    case OutputKind::kPage:
      return head.starts_with('<');
    case OutputKind::kPicture:
      return head.starts_with('<') || head.starts_with("\x89PNG");
    case OutputKind::kCheckpoint:
      return safetensors;
    case OutputKind::kRecipe:
      return is_json_of(head, "description");
    case OutputKind::kSearch:
      return is_json_of(head, "ser-search-1");
    case OutputKind::kOnnx:
      return head.starts_with('\x08');  // its first field
    case OutputKind::kRecording:
      return head.starts_with("RIFF");
    case OutputKind::kFolder:
      return false;
  }
  return false;
}

void check_kind(const Output& output) {
  std::array<char, 512> head{};
  std::ifstream file(output.path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view text(head.data(), static_cast<std::size_t>(file.gcount()));
  if (!text.empty() && !begins_as(output.kind, text))
    throw UsageError(
        fmt::format("{}: {} is there and is not {}: expected another name, or that file gone",
                    output.flag, output.path, name_of(output.kind)));
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
    if (fs::is_symlink(folder, error)) folder = fs::weakly_canonical(folder, error);
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  if (!fs::is_directory(folder, error))
    throw Error(fmt::format("{}: expected a folder to write to, found {}", folder.string(),
                            fs::exists(folder, error) ? "a file" : "none"));
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw Error(fmt::format("{}: cannot be written: {}", output.path, std::strerror(errno)));
}

void check_output(const Output& output, const std::vector<std::string>& inputs) {
  const std::optional<struct stat> there = status_of(output.path);
  if (there && output.kind != OutputKind::kFolder) {
    if (S_ISDIR(there->st_mode))
      throw Error(fmt::format("{}: expected a file to write, found a folder", output.path));
    if (!S_ISREG(there->st_mode)) return;  // a device or a pipe takes what comes
    for (const std::string& input : inputs) {
      const auto read = status_of(input == "-" ? "/dev/stdin" : input);
      if (read && is_same(*there, *read))
        throw UsageError(fmt::format("{}: {} is what is read: expected another file to write",
                                     output.flag, output.path));
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
    check_output(output, inputs);
    const auto there = status_of(output.path);
    for (const Output& other : written) {
      const auto twin = status_of(other.path);
      const bool both = there && twin && S_ISREG(there->st_mode) && is_same(*there, *twin);
      if (both ||
          fs::path(output.path).lexically_normal() == fs::path(other.path).lexically_normal())
        if (!there || S_ISREG(there->st_mode))
          throw UsageError(fmt::format("{} and {}: expected two files, found {} twice", other.flag,
                                       output.flag, output.path));
    }
    written.push_back(output);
  }
}

}  // namespace ser
