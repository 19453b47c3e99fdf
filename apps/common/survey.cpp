#include "survey.h"

#include <fmt/format.h>

#include "progress.h"
#include "ser/core/atomic_file.h"
#include "ser/report/report.h"
#include "survey_table.h"
#include "talk.h"

namespace ser {

void SurveyOptions::visit(FieldVisitor& v) {
  v.field("describe", describe, "Analyse the recordings instead: counts, durations, levels, pitch");
  v.field("json", json, "--describe as JSON");
  v.field("report", report, "--describe as a page to write (HTML), beside the table");
}

void check_survey_flags(const SurveyOptions& options, const Flags& flags) {
  if (!options.describe) {
    for (const char* field : {"json", "report"})
      if (flags.given(field))
        throw UsageError(flag_name(field) + ": expected together with --describe");
    return;
  }
  for (const char* field :
       {"output", "features", "pool", "rate", "trim_db", "augment", "format", "on_error"})
    if (flags.given(field))
      throw UsageError("--describe: measures recordings as they are, " + flag_name(field) +
                       " has no place");
}

void describe_recordings(const std::vector<Recording>& recordings, const SurveyOptions& options,
                         const CommonOptions& common) {
  std::vector<std::filesystem::path> files;
  std::vector<Utterance> utterances;
  for (const Recording& recording : recordings) {
    files.push_back(recording.file);
    utterances.push_back(recording.utterance);
  }
  Survey survey;
  {
    Progress progress("measuring", "clips", recordings.size(), common.quiet);
    survey = survey_recordings(files, utterances, common.threads, [&] { progress.advance(1); });
  }
  for (std::size_t i = 0; i < files.size(); ++i)
    talk::warn_of(survey.clips[i].notices, files[i].string());
  survey.duplicates = duplicate_groups(recordings);
  if (options.json)
    fmt::print("{}", survey_json(survey));
  else
    print_survey(survey);
  flush_stdout();
  if (!options.report.empty()) write_file(options.report, report::survey_html(survey));
}

}  // namespace ser
