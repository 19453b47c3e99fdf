#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "extraction.h"
#include "ser/corpus/survey.h"

namespace ser {

struct SurveyOptions {
  bool describe = false;
  bool json = false;
  std::string report;

  void visit(FieldVisitor& v);
};

/// Throws UsageError for flags that --describe leaves without effect, and for those that need it.
void check_survey_flags(const SurveyOptions& options, const Flags& flags);

/// Measures the recordings and prints what they hold, as a table or as JSON; writes the report.
void describe_recordings(const std::vector<Recording>& recordings, const SurveyOptions& options,
                         const CommonOptions& common);

}  // namespace ser
