#include "notices.h"

#include <spdlog/spdlog.h>

namespace ser {

void warn_of_notices(const std::string& name, const std::vector<std::string>& notices) {
  for (const std::string& notice : notices) spdlog::warn("{}: {}", name, notice);
}

}  // namespace ser
