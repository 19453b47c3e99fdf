#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/trim.h"
#include "ser/audio/waveform.h"
#include "ser/core/options.h"
#include "ser/features/feature.h"

namespace ser {

/// How the frames of a clip become what a model reads.
enum class Pooling { kNone, kMean, kStats };

/// How loud a clip is made before features are computed.
enum class Level {
  kAsIs,    ///< samples as they are in the file
  kActive,  ///< scaled so that the frames that carry speech have one common level
  /// The same; a recording without noise of its own gets white noise of up to 30 dB below that
  /// level, so that how quiet the room was does not show.
  kActiveOverNoise,
};

/// How a recording is cleaned.
struct Cleaning {
  int sample_rate_hz = 0;   ///< 0: the file's own rate
  double low_cut_hz = 0;    ///< what lies below is cut from the recording; 0: nothing, as librosa
  bool remove_hum = false;  ///< of the mains

  bool operator==(const Cleaning&) const = default;
};

/// What happens to a recording before features are computed. Feature sets that agree in it share
/// their analysis.
struct Preparation : Cleaning {
  double offset_s = 0;    ///< what comes before is not looked at
  double duration_s = 0;  ///< what comes after offset_s + duration_s is not looked at; 0: all is
  double trim_db = 0;     ///< silence trimmed this far below the loudest frame; 0: none
  Level level = Level::kAsIs;

  bool operator==(const Preparation&) const = default;
};

/// What is computed from a waveform: preparation, a list of features, pooling. The whole of it is
/// stored in feature files and models; its fingerprint tells whether the two fit.
struct FeatureSet : Preparation {
  Pooling pool = Pooling::kNone;
  std::vector<Box<Feature>> features;

  void visit(FieldVisitor& v);
};

/// From a preset's name (classic, functionals, frames, vocal_tract), a comma-separated list of
/// feature names ("mfcc,chroma,mel:delta"), or the path of a JSON file that holds a FeatureSet.
/// pool: instead of the set's own.
/// Throws Error for anything else, naming the nearest known name.
FeatureSet parse_feature_set(std::string_view text, std::optional<Pooling> pool = {});

/// Hash of the options alone, 16 hexadecimal digits.
std::string fingerprint(const FeatureSet& set);

/// Names of the rows of `extract()`: "mfcc.0", "mel.17:delta", "mfcc.0.mean", ...
std::vector<std::string> row_names(const FeatureSet& set);

/// Throws Error for a waveform of less than 0.1 s or 1 kHz, or with samples that are not finite.
void check_recording(const Waveform& wave);

/// The samples of the cleaned `wave` that features are computed from: what offset_s
/// and duration_s cut out, trimmed. Throws Error if that is too short.
SampleRange kept_range(const Waveform& wave, const Preparation& preparation);

/// The whole recording as features hear it: low cut, without hum, resampled.
/// Throws Error as `check_recording`, and for a rate or a low cut out of range.
Waveform cleaned(const Waveform& wave, const Cleaning& cleaning);

/// The cleaning of the presets, whatever the rate: without mains hum and what lies under a voice.
Cleaning voice_cleaning(int sample_rate_hz);

/// Of a preset, "frames" say; empty for another set.
std::string preset_name(const FeatureSet& set);

/// What a set is called in messages: "--features functionals" for a preset, else its features and
/// preparation.
std::string describe(const FeatureSet& set);

}  // namespace ser
