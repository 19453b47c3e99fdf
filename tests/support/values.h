#pragma once

#include "ser/corpus/feature_table.h"

namespace ser {

/// The features of all clips of a table, wherever they are, [rows x all frames].
inline Eigen::MatrixXf values_of(const FeatureTable& table) {
  Eigen::MatrixXf values(static_cast<Eigen::Index>(table.rows.size()), table.offsets.back());
  for (std::size_t i = 0; i < table.size(); ++i)
    values.middleCols(table.offsets[i], table.frames(i)) = table.clip(i);
  return values;
}

}  // namespace ser
