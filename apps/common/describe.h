#pragma once

#include "ser/corpus/feature_table.h"
#include "ser/train/recipe.h"

namespace ser {

/// Prints the recipe's layers on stdout: name, type, output shape, parameters.
void describe_network(const Recipe& recipe, const FeatureTable& table);

}  // namespace ser
