#pragma once

#include <string>

namespace ser {

/// A file's name with a suffix, or as much of it as a name may be long, and a hash of all of it.
std::string fitting_name(const std::string& name, const std::string& suffix);

}  // namespace ser
