#include "survey.h"

#include <fmt/format.h>

#include <algorithm>

#include "progress.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"
#include "ser/report/report.h"
#include "standard_output.h"
#include "talk.h"

namespace ser {
namespace {

constexpr std::size_t kShortList = 24;

std::string name_or_unknown(const std::string& name) { return name.empty() ? "unknown" : name; }

/// "female 600, male 600"
std::string listed(const std::vector<std::pair<std::string, std::int64_t>>& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, clips] : counts)
    parts.push_back(fmt::format("{} {}", name_or_unknown(name), clips));
  return some_of(parts, kShortList);
}

std::string listed(const std::vector<std::pair<int, std::int64_t>>& counts,
                   const std::string& unit) {
  std::vector<std::string> parts;
  for (const auto& [value, clips] : counts)
    parts.push_back(fmt::format("{}{} ({})", value, unit, clips));
  return join(parts, ", ");
}

void print_row(const std::string& name, const Distribution& d, int digits) {
  if (d.n == 0) return;
  fmt::print("{:<22}{:>10.{}f}{:>10.{}f}{:>10.{}f}{:>10.{}f}{:>10.{}f}\n", name, d.least, digits,
             d.p05, digits, d.median, digits, d.p95, digits, d.greatest, digits);
}

void print_distributions(const Survey& survey) {
  fmt::print("\n{:<22}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "least", "5 %", "median", "95 %",
             "most");
  print_row("duration, s", distribution(survey, &ClipMeasures::duration_s), 2);
  print_row("active level, dBFS", distribution(survey, &ClipMeasures::level_dbfs), 1);
  print_row("silence, share", distribution(survey, &ClipMeasures::silence_share), 2);
  for (const auto& [gender, clips] : count_by(survey, &Utterance::gender))
    print_row(fmt::format("F0, {}, Hz", name_or_unknown(gender)),
              distribution(survey, &ClipMeasures::f0_hz,
                           [&g = gender](const Utterance& clip) { return clip.gender == g; }),
              0);
}

void print_emotions(const Survey& survey) {
  const auto genders = count_by(survey, &Utterance::gender);
  const auto emotions = count_by(survey, &Utterance::emotion);
  std::size_t width = 8;
  for (const auto& [emotion, clips] : emotions) width = std::max(width, emotion.size());
  fmt::print("\n{:<{}}   clips", "emotion", width);
  for (const auto& [gender, clips] : genders) fmt::print("{:>9}", name_or_unknown(gender));
  fmt::print("   duration, s   level, dBFS   F0, Hz     (medians)\n");
  for (const auto& [emotion, clips] : emotions) {
    fmt::print("{:<{}}{:>8}", name_or_unknown(emotion), width, clips);
    for (const auto& [gender, all] : genders)
      fmt::print("{:>9}", std::count_if(survey.clips.begin(), survey.clips.end(),
                                        [&, &e = emotion, &g = gender](const SurveyedClip& clip) {
                                          return clip.clip.emotion == e && clip.clip.gender == g;
                                        }));
    const auto median = [&, &e = emotion](ClipMeasure measure, int digits, int columns) {
      const Distribution d =
          distribution(survey, measure, [&](const Utterance& clip) { return clip.emotion == e; });
      fmt::print("{:>{}}", d.n > 0 ? fmt::format("{:.{}f}", d.median, digits) : "-", columns);
    };
    median(&ClipMeasures::duration_s, 2, 14);
    median(&ClipMeasures::level_dbfs, 1, 14);
    median(&ClipMeasures::f0_hz, 0, 9);
    fmt::print("\n");
  }
}

void print_speakers(const Survey& survey) {
  const auto speakers = count_speakers(survey);
  if (speakers.size() == 1 && speakers[0].name.empty()) return;
  const auto [least, most] =
      std::minmax_element(speakers.begin(), speakers.end(),
                          [](const auto& a, const auto& b) { return a.clips < b.clips; });
  if (speakers.size() > 1 && least->clips == most->clips) {
    fmt::print("clips by speaker:   {} each\n", least->clips);
    return;
  }
  if (speakers.size() <= kShortList) {
    std::vector<std::pair<std::string, std::int64_t>> counts;
    for (const SpeakerCount& s : speakers) counts.emplace_back(s.name, s.clips);
    fmt::print("clips by speaker:   {}\n", listed(counts));
    return;
  }
  fmt::print("clips by speaker:   {} ({}) to {} ({})\n", least->clips, name_or_unknown(least->name),
             most->clips, name_or_unknown(most->name));
}

/// The first of many lines, each indented; how many there are more (the JSON has them all).
void print_first(const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), kShortList); ++i)
    fmt::print("  {}\n", lines[i]);
  if (lines.size() > kShortList) fmt::print("  and {} more\n", lines.size() - kShortList);
}

void print_duplicates(const Survey& survey) {
  if (survey.duplicates.empty()) return;
  std::vector<std::string> lines;
  for (const std::vector<int>& group : survey.duplicates) {
    std::vector<std::string> names;
    for (const int i : group) names.push_back(survey.clips[i].clip.path);
    lines.push_back(some_of(names, kShortList));
  }
  fmt::print("\nthe same bytes:\n");
  print_first(lines);
}

void print_unreadable(const Survey& survey) {
  if (survey.readable() == survey.clips.size()) return;
  std::vector<std::string> lines;
  for (const SurveyedClip& surveyed : survey.clips)
    if (!surveyed.error.empty()) lines.push_back(surveyed.clip.path + ": " + surveyed.error);
  fmt::print("\nunreadable: {}\n", lines.size());
  print_first(lines);
}

void print_survey(const Survey& survey) {
  const auto speakers = count_speakers(survey);
  const auto known = std::count_if(speakers.begin(), speakers.end(),
                                   [](const SpeakerCount& s) { return !s.name.empty(); });
  const Distribution duration = distribution(survey, &ClipMeasures::duration_s);
  const std::size_t clips = survey.clips.size();
  fmt::print("{} recording{}, {:.1f} min, {} speaker{}\n", clips, clips == 1 ? "" : "s",
             duration.mean * static_cast<double>(duration.n) / 60, known, known == 1 ? "" : "s");
  print_emotions(survey);
  print_distributions(survey);
  fmt::print("\n");
  fmt::print("clips by gender:    {}\n", listed(count_by(survey, &Utterance::gender)));
  fmt::print("clips by intensity: {}\n", listed(count_by(survey, &Utterance::intensity)));
  print_speakers(survey);
  fmt::print("sampling rates:     {}\n",
             listed(count_by(survey, &ClipMeasures::sample_rate_hz), " Hz"));
  fmt::print("channels:           {}\n", listed(count_by(survey, &ClipMeasures::channels), ""));
  print_duplicates(survey);
  print_unreadable(survey);
}

}  // namespace

void SurveyOptions::visit(FieldVisitor& v) {
  v.field("describe", describe, "Analyse the recordings instead: counts, durations, levels, pitch");
  v.field("json", json, "--describe as JSON");
  v.field("report", report, "--describe as a page to write (HTML), beside the table");
}

void check_survey_flags(const SurveyOptions& options, const Flags& flags) {
  if (!options.describe) {
    flags.refuse({"json", "report"}, "expected together with --describe");
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
  Survey survey;
  {
    Progress progress("measuring", "clips", recordings.size(), common.quiet);
    survey = survey_recordings(recordings, common.threads, [&] { progress.advance(1); });
  }
  for (std::size_t i = 0; i < recordings.size(); ++i)
    talk::warn_of(survey.clips[i].notices, recordings[i].file);
  if (options.json)
    fmt::print("{}", survey_json(survey));
  else
    print_survey(survey);
  flush_stdout();
  if (!options.report.empty()) write_file(options.report, report::survey_html(survey));
}

}  // namespace ser
