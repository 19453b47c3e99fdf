#pragma once

#include <string>
#include <vector>

#include "ser/model/model.h"

namespace ser {

/// One model of several, which may read different features. Each counts alike, whatever its number
/// of members. temperature: multiplies that of every member, so that the pool's is divided by it
/// once more. names: of the models, for messages.
/// Throws Error, naming two of them, for models of other emotions or genders or trained without
/// another fold; and for a temperature that is not above 0.
Model combine(const std::vector<Model>& models, const std::vector<std::string>& names,
              double temperature = 1);

}  // namespace ser
