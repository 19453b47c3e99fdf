#pragma once

#include <string>
#include <vector>

namespace ser {

/// Warns, a line each, of what `AudioReader::notices` tells about a recording.
void warn_of_notices(const std::string& name, const std::vector<std::string>& notices);

}  // namespace ser
