#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "ser/corpus/extraction.h"
#include "ser/corpus/utterance.h"

namespace ser {

/// What is measured of a recording, channels averaged. Pitch is that of the sound that
/// `functionals` hears: at 16 kHz, without hum, low cut; so is the level, where what lies under the
/// voice adds more than 1 dB.
struct ClipMeasures {
  double duration_s = 0;
  int sample_rate_hz = 0;
  int channels = 0;
  /// Level of the active parts (`active_rms`) re full scale; NaN for digital silence.
  double level_dbfs = std::numeric_limits<double>::quiet_NaN();
  /// `silent_share`: more than 40 dB below the loudest frame, as it is or as it is heard.
  double silence_share = 0;
  /// Median fundamental frequency of the voiced frames; NaN where there is none.
  double f0_hz = std::numeric_limits<double>::quiet_NaN();
};

/// A recording, with what was measured or why it could not be read.
struct SurveyedClip {
  Utterance clip;
  ClipMeasures measures;
  std::string error;                      ///< empty: it was read; without the name of the file
  std::vector<std::string> notices = {};  ///< see `AudioReader::notices`
};

/// What a set of recordings holds.
struct Survey {
  std::vector<SurveyedClip> clips;
  std::vector<std::vector<int>> duplicates;  ///< recordings of the same bytes, by index

  std::size_t readable() const;
};

/// Measures the recordings in parallel; what cannot be read is noted. `threads` changes no bit.
/// measured: called after each, from several threads.
Survey survey_recordings(const std::vector<Recording>& recordings, int threads,
                         const std::function<void()>& measured = {});

/// How the values of a measure are distributed; quantiles are interpolated.
struct Distribution {
  std::int64_t n = 0;
  double p05 = 0, p25 = 0, median = 0, p75 = 0, p95 = 0;
  double least = 0, mean = 0, greatest = 0;
};
/// NaN values are left out.
Distribution distribution(std::vector<double> values);

using ClipMeasure = double ClipMeasures::*;

/// Values of a measure over the readable recordings that `chosen` wants.
Distribution distribution(const Survey& survey, ClipMeasure measure,
                          const std::function<bool(const Utterance&)>& chosen = {});

/// Recordings for each value of a label, unreadable ones too: emotions in their usual order, else
/// by name, numbers as numbers; "" for those without it comes last.
std::vector<std::pair<std::string, std::int64_t>> count_by(const Survey& survey,
                                                           std::string Utterance::*label);

/// The same for speakers, named as `speaker_name` does, with the gender of each.
struct SpeakerCount {
  std::string name, gender;
  std::int64_t clips = 0;
};
std::vector<SpeakerCount> count_speakers(const Survey& survey);

/// Readable recordings for each sampling rate and number of channels, ascending.
std::vector<std::pair<int, std::int64_t>> count_by(const Survey& survey, int ClipMeasures::*number);

/// The survey as JSON text: counts, distributions, duplicates, unreadable files and every clip.
std::string survey_json(const Survey& survey);

/// The same without the list of clips, on one line.
std::string survey_summary_json(const Survey& survey);

}  // namespace ser
