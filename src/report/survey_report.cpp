#include "ser/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/page/charts.h"
#include "report/page/html.h"
#include "ser/core/text.h"

namespace ser::report {
namespace {

using Counts = std::vector<std::pair<std::string, std::int64_t>>;

std::string name_or_unknown(const std::string& name) { return name.empty() ? "unknown" : name; }

/// Labels that say something: more than one value, or one that is known.
bool is_known(const Counts& counts) { return counts.size() > 1 || !counts[0].first.empty(); }

std::string hours(double seconds) {
  const auto whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{:.1f} s", seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string summary_tiles(const Survey& survey) {
  const Distribution duration = distribution(survey, &ClipMeasures::duration_s);
  const Distribution level = distribution(survey, &ClipMeasures::level_dbfs);
  const Distribution silence = distribution(survey, &ClipMeasures::silence_share);
  const auto speakers = count_speakers(survey);
  const auto known = std::count_if(speakers.begin(), speakers.end(),
                                   [](const SpeakerCount& s) { return !s.name.empty(); });
  const std::int64_t clips = survey.clips.size();
  const auto unreadable = clips - static_cast<std::int64_t>(survey.readable());
  std::vector<Tile> list = {
      {"Recordings", count_figure("recordings", clips),
       unreadable > 0 ? counted(unreadable, "file") + " could not be read" : "all could be read"},
      {"Speakers", known > 0 ? count_figure("speakers", known) : "not known",
       known > 0 ? fmt::format("{:.0f} clips each in the mean", static_cast<double>(clips) / known)
                 : "no names that tell them"}};
  if (duration.n > 0) {
    const double total = duration.mean * static_cast<double>(duration.n);
    list.push_back({"Duration", figure("total-s", total, hours(total)),
                    fmt::format("median clip {:.2f} s, {:.2f} to {:.2f} s", duration.median,
                                duration.least, duration.greatest)});
    list.push_back({"Silence", share_figure("silence-share", silence.mean),
                    "of a clip in the mean: more than 40 dB below its loudest part"});
  }
  if (level.n > 0)
    list.push_back(
        {"Level", figure("level-dbfs", level.median, fmt::format("{:.1f} dBFS", level.median)),
         fmt::format("median of the active parts; {:.1f} to {:.1f}", level.least, level.greatest)});
  list.push_back({"Duplicates",
                  figure("duplicates", static_cast<double>(survey.duplicates.size()),
                         grouped(survey.duplicates.size())),
                  "groups of files with the same bytes"});
  return tiles(list);
}

/// Clips by emotion, split by gender and by intensity where they are known.
std::string counts_section(const Survey& survey) {
  const Counts emotions = count_by(survey, &Utterance::emotion);
  std::vector<std::string> header = {"emotion"};
  std::vector<std::pair<std::string Utterance::*, std::string>> columns;
  for (const auto label : {&Utterance::gender, &Utterance::intensity}) {
    const Counts counts = count_by(survey, label);
    if (!is_known(counts)) continue;
    for (const auto& [value, clips] : counts) {
      columns.emplace_back(label, value);
      header.push_back(escape(
          value.empty() ? (label == &Utterance::gender ? "gender unknown" : "intensity unknown")
                        : value));
    }
  }
  header.insert(header.begin() + 1, "clips");
  std::vector<std::vector<std::string>> rows;
  std::vector<Row> bars;
  std::int64_t most = 1;
  for (const auto& [emotion, clips] : emotions) most = std::max(most, clips);
  const Scale scale = rounded_scale(0, static_cast<double>(most), "");
  for (const auto& [emotion, clips] : emotions) {
    std::vector<std::string> row = {escape(name_or_unknown(emotion)), grouped(clips)};
    for (const auto& [label, value] : columns)
      row.push_back(
          grouped(std::count_if(survey.clips.begin(), survey.clips.end(),
                                [&, l = label, &v = value, &e = emotion](const SurveyedClip& clip) {
                                  return clip.clip.emotion == e && clip.clip.*l == v;
                                })));
    rows.push_back(std::move(row));
    bars.push_back({name_or_unknown(emotion), bar(static_cast<double>(clips), scale),
                    count_figure("emotion-clips", clips)});
  }
  return section("Clips by emotion", "",
                 side_by_side({row_list(bars, scale), table(header, rows, 1)}));
}

std::string speakers_section(const Survey& survey) {
  const auto speakers = count_speakers(survey);
  if (speakers.size() == 1 && speakers[0].name.empty()) return "";
  std::int64_t most = 1;
  for (const SpeakerCount& speaker : speakers) most = std::max(most, speaker.clips);
  const Scale scale = rounded_scale(0, static_cast<double>(most), "");
  std::vector<Row> rows;
  for (const SpeakerCount& speaker : speakers)
    rows.push_back(
        {name_or_unknown(speaker.name), bar(static_cast<double>(speaker.clips), scale),
         fmt::format("{} <small>{}</small>", count_figure("speaker-clips", speaker.clips),
                     escape(speaker.gender))});
  return section("Clips by speaker", "", row_list(rows, scale));
}

struct Measure {
  std::string caption;
  ClipMeasure value;
  int digits;
  std::string unit;
};

std::string boxes(const Survey& survey, const Measure& measure, const Counts& emotions,
                  const Counts& genders) {
  struct Group {
    std::string name;
    std::size_t gender;
    Distribution values;
  };
  std::vector<Group> groups;
  double low = 1e300, high = -1e300;
  for (const auto& [emotion, emotion_clips] : emotions)
    for (std::size_t g = 0; g < genders.size(); ++g) {
      const std::string& gender = genders[g].first;
      const Distribution values =
          distribution(survey, measure.value, [&, &e = emotion](const Utterance& clip) {
            return clip.emotion == e && clip.gender == gender;
          });
      if (values.n == 0) continue;
      groups.push_back(
          {name_or_unknown(emotion) + (genders.size() > 1 ? ", " + name_or_unknown(gender) : ""), g,
           values});
      low = std::min(low, values.p05);
      high = std::max(high, values.p95);
    }
  if (groups.empty()) return "";
  const Scale scale = rounded_scale(low, high, measure.unit);
  std::vector<Row> rows;
  for (const auto& [name, gender, d] : groups)
    rows.push_back(
        {name, box({d.p05, d.p25, d.median, d.p75, d.p95}, scale, fmt::format("class{}", gender)),
         fmt::format("{} <small>{:.{}f} to {:.{}f}</small>",
                     figure("median", d.median, fmt::format("{:.{}f}", d.median, measure.digits)),
                     d.p05, measure.digits, d.p95, measure.digits)});
  return figure_block(measure.caption, row_list(rows, scale));
}

std::string distributions_section(const Survey& survey) {
  const Counts emotions = count_by(survey, &Utterance::emotion);
  const Counts genders = count_by(survey, &Utterance::gender);
  std::vector<std::string> names;
  for (const auto& [gender, clips] : genders) names.push_back(name_or_unknown(gender));
  std::string content;
  for (const Measure& measure :
       {Measure{"Duration, s", &ClipMeasures::duration_s, 2, " s"},
        Measure{"Level of the active parts, dBFS", &ClipMeasures::level_dbfs, 1, " dB"},
        Measure{"Fundamental frequency, Hz: each clip's median", &ClipMeasures::f0_hz, 0, " Hz"}})
    content += boxes(survey, measure, emotions, genders);
  return section("Duration, energy and pitch",
                 "Boxes hold the middle half of the clips around their median; lines reach from "
                 "the 5th to the 95th percentile, which stand beside the median.",
                 (genders.size() > 1 ? legend(names) : "") + content);
}

std::string format_section(const Survey& survey) {
  const auto rows_of = [](const auto& counts, const std::string& unit) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [value, clips] : counts)
      rows.push_back({grouped(value) + unit, grouped(clips)});
    return rows;
  };
  std::vector<std::vector<std::string>> corpora;
  for (const auto& [name, clips] : count_by(survey, &Utterance::corpus))
    corpora.push_back({escape(name_or_unknown(name)), grouped(clips)});
  return section(
      "Format", "",
      side_by_side(
          {table({"sampling rate", "clips"},
                 rows_of(count_by(survey, &ClipMeasures::sample_rate_hz), " Hz"), 1),
           table({"channels", "clips"}, rows_of(count_by(survey, &ClipMeasures::channels), ""), 1),
           table({"corpus", "clips"}, corpora, 1)}));
}

std::string faults_section(const Survey& survey) {
  std::string html;
  if (survey.readable() < survey.clips.size()) {
    std::vector<std::vector<std::string>> rows;
    for (const SurveyedClip& surveyed : survey.clips)
      if (!surveyed.error.empty())
        rows.push_back({escape(surveyed.clip.path), escape(surveyed.error)});
    html += section("Files that could not be read", "", table({"file", "why"}, rows, 2));
  }
  if (survey.duplicates.empty()) return html;
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<int>& group : survey.duplicates) {
    std::vector<std::string> names;
    for (const int i : group) names.push_back(escape(survey.clips[i].clip.path));
    rows.push_back({join(names, "<br>")});
  }
  return html +
         section("Files with the same bytes",
                 "A clip that stands in training and test under two names flatters the score.",
                 table({"files"}, rows, 1));
}

}  // namespace

std::string survey_html(const Survey& survey) {
  std::vector<std::string> corpora;
  for (const auto& [name, clips] : count_by(survey, &Utterance::corpus))
    if (!name.empty()) corpora.push_back(name);
  Page page;
  page.kind = "Speech emotion recognition: the data";
  page.title = counted(survey.clips.size(), "recording") +
               (corpora.empty() ? "" : " of " + join(corpora, ", "));
  page.lead = summary_tiles(survey);
  page.categories = std::max<std::size_t>(2, count_by(survey, &Utterance::gender).size());
  page.json = survey_summary_json(survey);
  page.body = faults_section(survey) + counts_section(survey) + distributions_section(survey) +
              speakers_section(survey) + format_section(survey);
  return page_html(page);
}

}  // namespace ser::report
