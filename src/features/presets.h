#pragma once

#include <string_view>
#include <vector>

namespace ser {

/// The feature set of that name as JSON, or "" if there is none.
std::string_view preset_json(std::string_view name);

std::vector<std::string_view> preset_names();

}  // namespace ser
