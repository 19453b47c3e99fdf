#pragma once

#include "ser/corpus/survey.h"

namespace ser {

/// Prints what a set of recordings holds on stdout.
void print_survey(const Survey& survey);

}  // namespace ser
