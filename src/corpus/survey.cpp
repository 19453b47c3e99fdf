#include "ser/corpus/survey.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/internal/json_io.h"
#include "core/internal/numbers.h"
#include "corpus/clip_table.h"
#include "corpus/internal/clip_groups.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/level.h"
#include "ser/audio/rolling_window.h"
#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/split.h"
#include "ser/features/analysis.h"
#include "ser/features/feature_set.h"
#include "ser/features/functionals.h"

namespace ser {
namespace {

constexpr double kAnalysedS = 30;         // cleaned and analysed at a time
constexpr double kMuchUnderVoice = 1.12;  // 1 dB

/// Level and fundamental frequency, as features hear them, of sound that comes block by block.
class VoiceMeter {
 public:
  VoiceMeter(int sample_rate_hz, const Preparation& preparation, const Tables& tables)
      : preparation_(preparation),
        tables_(tables),
        pieces_(sample_rate_hz, kAnalysedS, kAnalysedS),
        level_(preparation.sample_rate_hz) {
    pitch_.frame_samples = 1024;
    pitch_.hop_samples = 320;
  }

  void add(std::span<const float> samples) {
    pieces_.push(samples, [&](const Window& piece) { hear(piece.wave); });
  }
  /// The end: what follows may be asked for.
  void finish() {
    pieces_.finish_with_rest([&](const Window& piece) { hear(piece.wave); });
  }

  const LevelMeter& level() const { return level_; }
  /// Of the voiced frames; NaN without any.
  double median_hz() const {
    return voiced_.empty() ? std::numeric_limits<double>::quiet_NaN()
                           : distribution(voiced_).median;
  }

 private:
  void hear(const Waveform& piece) {
    const Waveform clean = cleaned(piece, preparation_);
    level_.add({clean.samples.data(), static_cast<std::size_t>(clean.samples.size())});
    const Analysis analysis(clean, tables_);
    for (const float hz : analysis.pitch(pitch_).hz)
      if (hz > 0) voiced_.push_back(hz);
  }

  const Preparation& preparation_;
  const Tables& tables_;
  RollingWindow pieces_;
  LevelMeter level_;
  PitchOptions pitch_;
  std::vector<double> voiced_;
};

ClipMeasures measure(AudioReader& reader, const Preparation& preparation, const Tables& tables) {
  LevelMeter samples(reader.sample_rate_hz());
  VoiceMeter voice(reader.sample_rate_hz(), preparation, tables);
  std::size_t size = 0;
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block()) {
    samples.add(block);
    voice.add(block);
    size += block.size();
  }
  voice.finish();
  ClipMeasures measures;
  measures.sample_rate_hz = reader.sample_rate_hz();
  measures.channels = reader.num_channels();
  measures.duration_s = static_cast<double>(size) / measures.sample_rate_hz;
  // The low cut rings on behind a sound, so what is not in need of it is measured as it is.
  const double own_rms = samples.active_rms(), heard_rms = voice.level().active_rms();
  if (const double rms = own_rms > kMuchUnderVoice * heard_rms ? heard_rms : own_rms; rms > 0)
    measures.level_dbfs = 20 * std::log10(rms);
  // An offset hides the silence of the samples, the ringing that of what is heard.
  measures.silence_share = std::max(samples.silent_share(), voice.level().silent_share());
  measures.f0_hz = voice.median_hz();
  return measures;
}

std::string without_name(const std::string& message, const std::filesystem::path& file) {
  const std::string name = file.string() + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

std::vector<Utterance> clips_of(const Survey& survey) {
  std::vector<Utterance> clips;
  for (const SurveyedClip& surveyed : survey.clips) clips.push_back(surveyed.clip);
  return clips;
}

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
    for (const int i : group) paths.push_back(survey.clips[i].clip.path);
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

std::size_t Survey::readable() const {
  return static_cast<std::size_t>(std::count_if(
      clips.begin(), clips.end(), [](const SurveyedClip& clip) { return clip.error.empty(); }));
}

Survey survey_recordings(const std::vector<Recording>& recordings, int threads,
                         const std::function<void()>& measured) {
  Survey survey;
  survey.clips.resize(recordings.size());
  const Preparation preparation = parse_feature_set("functionals");
  const Tables tables;
  parallel_for(recordings.size(), threads, [&](std::size_t i) {
    survey.clips[i].clip = recordings[i].utterance;
    try {
      AudioReader reader(recordings[i].file);
      survey.clips[i].measures = measure(reader, preparation, tables);
      survey.clips[i].notices = reader.notices();
    } catch (const Error& error) {
      survey.clips[i].error = without_name(error.what(), recordings[i].file);
    }
    if (measured) measured();
  });
  survey.duplicates = find_duplicates(recordings);
  return survey;
}

Distribution distribution(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const Eigen::Index n = values.size();
  const Eigen::VectorXd sorted = Eigen::VectorXd::Map(values.data(), n);
  return {n,
          quantile(sorted, 0.05),
          quantile(sorted, 0.25),
          quantile(sorted, 0.5),
          quantile(sorted, 0.75),
          quantile(sorted, 0.95),
          values.front(),
          std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n),
          values.back()};
}

Distribution distribution(const Survey& survey, ClipMeasure measure,
                          const std::function<bool(const Utterance&)>& chosen) {
  std::vector<double> values;
  for (const SurveyedClip& surveyed : survey.clips)
    if (surveyed.error.empty() && (!chosen || chosen(surveyed.clip)))
      values.push_back(surveyed.measures.*measure);
  return distribution(std::move(values));
}

std::vector<std::pair<std::string, std::int64_t>> count_by(const Survey& survey,
                                                           std::string Utterance::*label) {
  std::map<std::string, std::int64_t> counts;
  for (const SurveyedClip& surveyed : survey.clips) ++counts[surveyed.clip.*label];
  std::vector<std::string> order;
  if (label == &Utterance::emotion)
    order = emotion_labels(clips_of(survey));
  else
    for (const auto& [value, count] : counts)
      if (!value.empty()) order.push_back(value);
  if (counts.contains("")) order.emplace_back();
  std::vector<std::pair<std::string, std::int64_t>> result;
  for (const std::string& value : order) result.emplace_back(value, counts.at(value));
  return result;
}

std::vector<SpeakerCount> count_speakers(const Survey& survey) {
  const std::vector<Utterance> clips = clips_of(survey);
  std::vector<SpeakerCount> result;
  std::int64_t known = 0;
  for (const Speaker& speaker : group_by_speaker(clips, indices<int>(clips.size()))) {
    const std::int64_t count = speaker.clips.size();
    result.push_back({speaker.name, speaker.gender, count});
    known += count;
  }
  const std::int64_t total = clips.size();
  if (known < total) result.push_back({"", "", total - known});
  return result;
}

std::vector<std::pair<int, std::int64_t>> count_by(const Survey& survey,
                                                   int ClipMeasures::*number) {
  std::map<int, std::int64_t> counts;
  for (const SurveyedClip& surveyed : survey.clips)
    if (surveyed.error.empty()) ++counts[surveyed.measures.*number];
  return {counts.begin(), counts.end()};
}

std::string survey_summary_json(const Survey& survey) { return dump_text(summary(survey)); }

std::string survey_json(const Survey& survey) {
  Json json = summary(survey);
  json["clips"] = Json::array();
  for (const SurveyedClip& surveyed : survey.clips)
    if (surveyed.error.empty()) json["clips"].push_back(clip_json(surveyed));
  return dump_lines(json);
}

}  // namespace ser
