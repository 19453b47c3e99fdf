#pragma once

#include <string>

#include "ser/report/report.h"

namespace ser::report {

// Parts of a report, each a <section> in HTML, or nothing where there is nothing to show.

std::string confusion_section(const ResultFile& result);
std::string classes_and_speakers_section(const ResultFile& result);
std::string folds_section(const ResultFile& result);
std::string calibration_section(const ResultFile& result);
/// Which answers may be kept at the risk allowed, and the risk-coverage curve.
std::string certainty_section(const ResultFile& result);
/// Scores by the number of other clips of the speaker that were heard first.
std::string heard_section(const ResultFile& result);
std::string matrix_section(const ResultFile& result);
std::string mistakes_section(const ResultFile& result);
std::string learning_section(const Report& report);
std::string data_section(const Report& report);
std::string recipe_section(const std::string& recipe);

/// The recipe (JSON), what is off left out, laid out to be read. JSON that is no recipe is
/// laid out whole.
std::string readable_recipe(const std::string& recipe);

}  // namespace ser::report
