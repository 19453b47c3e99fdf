#include "ser/features/describe.h"

#include <fmt/format.h>

#include "features/presets.h"
#include "ser/core/text.h"

namespace ser {

std::string preset_name(const FeatureSet& set) {
  for (const std::string_view preset : preset_names())
    if (fingerprint(parse_feature_set(preset)) == fingerprint(set)) return std::string(preset);
  return {};
}

std::string describe(const FeatureSet& set) {
  if (const std::string preset = preset_name(set); !preset.empty())
    return fmt::format("--features {}", preset);
  std::vector<std::string> types;
  for (const Box<Feature>& feature : set.features) types.emplace_back(feature->type());
  const std::string rate =
      set.sample_rate_hz > 0 ? fmt::format(" at {} Hz", set.sample_rate_hz) : "";
  return fmt::format("features {}{}", join(types, ","), rate);
}

}  // namespace ser
