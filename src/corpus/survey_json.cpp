#include <cmath>

#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "ser/corpus/survey.h"

namespace ser {
namespace {

/// NaN becomes null.
Json number(double value) { return std::isnan(value) ? Json() : Json(value); }

Json distribution_json(const Distribution& d) {
  if (d.n == 0) return {{"n", 0}};
  return {{"n", d.n},     {"min", d.least},     {"p05", d.p05},
          {"p25", d.p25}, {"median", d.median}, {"p75", d.p75},
          {"p95", d.p95}, {"max", d.greatest},  {"mean", d.mean}};
}

Json counts_json(const Survey& survey, std::string Utterance::*label) {
  Json list = Json::array();
  for (const auto& [name, clips] : count_by(survey, label))
    list.push_back({{"name", text_or_null(name)}, {"clips", clips}});
  return list;
}

Json numbers_json(const Survey& survey, int ClipMeasures::*measure) {
  Json list = Json::array();
  for (const auto& [value, clips] : count_by(survey, measure))
    list.push_back({{"value", value}, {"clips", clips}});
  return list;
}

Json speakers_json(const Survey& survey) {
  Json list = Json::array();
  for (const SpeakerCount& speaker : count_speakers(survey))
    list.push_back({{"name", text_or_null(speaker.name)},
                    {"gender", text_or_null(speaker.gender)},
                    {"clips", speaker.clips}});
  return list;
}

Json groups_json(const Survey& survey) {
  Json list = Json::array();
  for (const auto& emotion : count_by(survey, &Utterance::emotion))
    for (const auto& gender : count_by(survey, &Utterance::gender)) {
      const auto chosen = [&](const Utterance& clip) {
        return clip.emotion == emotion.first && clip.gender == gender.first;
      };
      const Distribution duration = distribution(survey, &ClipMeasures::duration_s, chosen);
      if (duration.n == 0) continue;
      list.push_back(
          {{"emotion", text_or_null(emotion.first)},
           {"gender", text_or_null(gender.first)},
           {"duration_s", distribution_json(duration)},
           {"level_dbfs",
            distribution_json(distribution(survey, &ClipMeasures::level_dbfs, chosen))},
           {"f0_hz", distribution_json(distribution(survey, &ClipMeasures::f0_hz, chosen))}});
    }
  return list;
}

Json summary(const Survey& survey) {
  Json json;
  json["recordings"] = survey.clips.size();
  json["readable"] = survey.readable();
  json["emotions"] = counts_json(survey, &Utterance::emotion);
  json["genders"] = counts_json(survey, &Utterance::gender);
  json["intensities"] = counts_json(survey, &Utterance::intensity);
  json["corpora"] = counts_json(survey, &Utterance::corpus);
  json["speakers"] = speakers_json(survey);
  json["sample_rates_hz"] = numbers_json(survey, &ClipMeasures::sample_rate_hz);
  json["channels"] = numbers_json(survey, &ClipMeasures::channels);
  json["duration_s"] = distribution_json(distribution(survey, &ClipMeasures::duration_s));
  json["level_dbfs"] = distribution_json(distribution(survey, &ClipMeasures::level_dbfs));
  json["silence_share"] = distribution_json(distribution(survey, &ClipMeasures::silence_share));
  json["f0_hz"] = distribution_json(distribution(survey, &ClipMeasures::f0_hz));
  json["by_emotion_and_gender"] = groups_json(survey);
  json["duplicates"] = Json::array();
  for (const std::vector<int>& group : survey.duplicates) {
    Json paths = Json::array();
    for (const int i : group) paths.push_back(survey.clips[static_cast<std::size_t>(i)].clip.path);
    json["duplicates"].push_back(std::move(paths));
  }
  json["unreadable"] = Json::array();
  for (const SurveyedClip& surveyed : survey.clips)
    if (!surveyed.error.empty())
      json["unreadable"].push_back({{"file", surveyed.clip.path}, {"error", surveyed.error}});
  return json;
}

Json clip_json(const SurveyedClip& surveyed) {
  Json json;
  for (const auto& [name, field] : kLabelFields)
    if (!(surveyed.clip.*field).empty()) json[std::string(name)] = surveyed.clip.*field;
  const ClipMeasures& m = surveyed.measures;
  json["duration_s"] = m.duration_s;
  json["sample_rate_hz"] = m.sample_rate_hz;
  json["channels"] = m.channels;
  json["level_dbfs"] = number(m.level_dbfs);
  json["silence_share"] = m.silence_share;
  json["f0_hz"] = number(m.f0_hz);
  return json;
}

}  // namespace

std::string survey_summary_json(const Survey& survey) { return dump_text(summary(survey)); }

std::string survey_json(const Survey& survey) {
  Json json = summary(survey);
  json["clips"] = Json::array();
  for (const SurveyedClip& surveyed : survey.clips)
    if (surveyed.error.empty()) json["clips"].push_back(clip_json(surveyed));
  return dump_lines(json);
}

}  // namespace ser
