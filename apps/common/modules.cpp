#include "modules.h"

namespace ser {

std::array<std::filesystem::path, 2> module_folders() {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return {program, program / SER_MODULES_FROM_BIN};
}

}  // namespace ser
