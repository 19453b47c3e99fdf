#include "installation.h"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "command.h"
#include "ser/core/text.h"

namespace ser {
namespace {

std::vector<std::filesystem::path> model_folders() {
  std::vector<std::filesystem::path> folders;
  if (const char* folder = std::getenv("SER_MODELS"); folder && *folder)
    folders.emplace_back(folder);
  std::error_code error;
  if (!folders.empty() && !std::filesystem::is_directory(folders[0], error))
    fail("SER_MODELS: expected a folder of models, found none: {}", folders[0].string());
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back((program.parent_path() / SER_MODELS_FROM_BIN).lexically_normal());
  if (*SER_SOURCE_MODELS) folders.emplace_back(SER_SOURCE_MODELS);
  return folders;
}

}  // namespace

std::filesystem::path find_model(const std::string& name) {
  std::error_code ignored;
  if (!name.empty() && std::filesystem::is_regular_file(name, ignored)) return name;
  std::string looked;
  std::vector<std::string> shipped;
  if (name.find('/') == std::string::npos) {
    for (const std::filesystem::path& folder : model_folders()) {
      const std::string file = name.empty() ? "default.json" : name;
      for (const std::string& candidate : {file, file + ".json"})
        if (std::filesystem::is_regular_file(folder / candidate, ignored))
          return folder / candidate;
      for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".json") shipped.push_back(entry.path().stem().string());
      looked += fmt::format("{}{}", looked.empty() ? "" : ", ", folder.string());
    }
  }
  if (looked.empty()) fail("{}: expected a model file, found none", name);
  fail("expected a model file or the name of a model in {}, found '{}'{}", looked,
       name.empty() ? "default" : name, did_you_mean(name, shipped));
}

std::array<std::filesystem::path, 2> module_folders() {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return {program, program / SER_MODULES_FROM_BIN};
}

}  // namespace ser
