#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

inline constexpr std::string_view kFeatureFormat = "ser-features-1";
inline constexpr std::string_view kFeatureIndexFormat = "ser-features-index-1";

/// "x.safetensors.index.json" for "x.safetensors".
std::filesystem::path feature_index_path(const std::filesystem::path& path);

/// Throws Error unless `features` fits the rows and can be stored with `clip`.
void check_features(const Utterance& clip, const Eigen::MatrixXf& features,
                    const std::vector<std::string>& rows);

}  // namespace ser
