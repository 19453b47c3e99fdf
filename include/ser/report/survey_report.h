#pragma once

#include <filesystem>
#include <string>

#include "ser/corpus/survey.h"

namespace ser::report {

/// A survey as one HTML page that needs no other file and no network: counts, and how duration,
/// level and pitch are distributed over emotions and genders. Its figures are those of
/// `survey_summary_json`, which it carries in the element with the id "figures".
std::string survey_html(const Survey& survey);

/// Writes the page, the file whole or not at all.
void write_survey_report(const std::filesystem::path& path, const Survey& survey);

}  // namespace ser::report
