#include "ser/core/module.h"

#include <dlfcn.h>
#include <vector>

#include "core/internal/fail.h"
#include "ser/core/text.h"

namespace ser {

const void* load_module(const ModuleName& name, std::span<const std::filesystem::path> folders,
                        const std::string& version) {
  std::vector<std::string> looked;
  for (const std::filesystem::path& folder : folders) {
    const std::filesystem::path file = folder / name.file;
    looked.push_back(folder.lexically_normal().string());
    if (!std::filesystem::exists(file)) continue;
    void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("{}: {}", name.use, ::dlerror());
    const void* object = ::dlsym(library, name.symbol.c_str());
    const char* found = object ? *static_cast<const char* const*>(object) : nullptr;
    if (!found || version != found)
      fail("{}: expected a module of ser {}, found {}", file.string(), version,
           found ? found : "another library");
    return object;
  }
  fail("{}: expected {}, which is built where {}, found none in {}", name.use, name.file,
       name.source, join(looked, ", "));
}

}  // namespace ser
