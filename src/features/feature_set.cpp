#include "ser/features/feature_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/numbers.h"
#include "features/internal/feature_set.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/level.h"
#include "ser/audio/low_cut.h"
#include "ser/audio/resample.h"
#include "ser/audio/trim.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"
#include "ser/features/extractor.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1u << 20;

Box<Feature> parse_feature(std::string_view text) {
  const std::size_t colon = text.find(':');
  Box<Feature> feature = make_feature(text.substr(0, colon));
  if (colon == std::string_view::npos) return feature;
  const std::string_view suffix = text.substr(colon + 1);
  if (suffix != "delta" && suffix != "delta2")
    fail("feature '{}': expected ':delta' or ':delta2' after the name", text);
  feature->delta_order = suffix == "delta" ? 1 : 2;
  return feature;
}

FeatureSet parse_list(std::string_view text) {
  FeatureSet set;
  for (const std::string& part : split(text, ',')) {
    const std::string_view name = trim(part);
    if (name.empty()) fail("feature list '{}': expected a name between commas", text);
    try {
      set.features.push_back(parse_feature(name));
    } catch (const Error& error) {
      std::vector<std::string_view> presets = preset_names();
      fail("{}; presets are {}{}", error.what(), fmt::join(presets, ", "),
           did_you_mean(name, presets));
    }
  }
  return set;
}

}  // namespace

void FeatureSet::visit(FieldVisitor& v) {
  v.field("sample_rate_hz", sample_rate_hz, "Sampling rate, Hz; 0: the file's own",
          Range{0, 400000});
  v.field("low_cut_hz", low_cut_hz, "What lies below is cut, Hz; 0: nothing", Range{0, 200});
  v.field("remove_hum", remove_hum, "Subtract steady lines of mains frequency");
  v.field("offset_s", offset_s, "Start of the part that is looked at, s", Range{0, 1e6});
  v.field("duration_s", duration_s, "Length of the part that is looked at, s; 0: to the end",
          Range{0, 1e6});
  v.field("trim_db", trim_db, "Trim silence this far below the loudest frame, dB; 0: none",
          Range{0, 1000});
  v.choice("level", level,
           {{"as_is", Level::kAsIs},
            {"active", Level::kActive},
            {"active_over_noise", Level::kActiveOverNoise}},
           "Loudness each clip is brought to");
  v.choice("pool", pool,
           {{"none", Pooling::kNone}, {"mean", Pooling::kMean}, {"stats", Pooling::kStats}},
           "How the frames of a clip are summed up");
  BoxList list(features, make_feature);
  v.list("features", list);
}

FeatureSet parse_feature_set(std::string_view text, std::optional<Pooling> pool) {
  FeatureSet set;
  if (const std::string_view json = preset_json(text); !json.empty()) {
    from_json(json, set);
  } else if (text.ends_with(".json")) {
    const std::string file = read_file(std::filesystem::path(text), kMaxFileBytes);
    with_context(text, [&] { from_json(file, set); });
  } else {
    set = parse_list(text);
  }
  set.pool = pool.value_or(set.pool);
  return Extractor(std::move(set)).set();
}

std::string fingerprint(const FeatureSet& set) {
  return fingerprint(std::string_view(to_json(set)));
}

std::vector<std::string> row_names(const FeatureSet& set) {
  std::vector<std::string> names;
  for (const Box<Feature>& feature : set.features)
    for (std::string& name : pooled_names(*feature, set.pool)) names.push_back(std::move(name));
  return names;
}

namespace {

/// The samples that are looked at, before trimming.
SampleRange cut_range(const Waveform& wave, const Preparation& preparation) {
  if (preparation.offset_s == 0 && preparation.duration_s == 0) return {0, wave.samples.size()};
  if (!(preparation.offset_s >= 0 && preparation.duration_s >= 0))
    fail("expected offset_s and duration_s from 0, found {} and {}", preparation.offset_s,
         preparation.duration_s);
  const double rate = wave.sample_rate_hz, size = static_cast<double>(wave.samples.size());
  const double begin = std::min(size, std::round(preparation.offset_s * rate));
  const double end = preparation.duration_s > 0
                         ? std::min(size, begin + std::round(preparation.duration_s * rate))
                         : size;
  if (end - begin < kShortestRecordingS * rate)
    fail("expected at least {} s of audio after {} s, found {:.3f} s", kShortestRecordingS,
         preparation.offset_s, (end - begin) / rate);
  return {static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(end)};
}

Waveform part_of(const Waveform& wave, const SampleRange& range) {
  return {wave.samples.segment(range.begin, range.end - range.begin), wave.sample_rate_hz};
}

}  // namespace

SampleRange kept_range(const Waveform& wave, const Preparation& preparation) {
  const SampleRange cut = cut_range(wave, preparation);
  if (preparation.trim_db == 0) return cut;
  if (cut.end - cut.begin == wave.samples.size()) return active_range(wave, preparation.trim_db);
  const SampleRange trimmed = active_range(part_of(wave, cut), preparation.trim_db);
  return {cut.begin + trimmed.begin, cut.begin + trimmed.end};
}

void check_recording(const Waveform& wave) {
  if (wave.sample_rate_hz < kLowestRateHz)
    fail("expected a sampling rate of at least {} Hz, found {} Hz", kLowestRateHz,
         wave.sample_rate_hz);
  if (wave.duration_s() < kShortestRecordingS)
    fail("expected at least {} s of audio, found {:.3f} s", kShortestRecordingS, wave.duration_s());
  if (!all_finite(wave.samples)) fail("expected finite samples, found NaN or infinity");
}

namespace {

/// Without the straight line from the first to the last sample: what is resampled would ring where
/// an offset begins and ends. The low cut takes such a line away in any case.
Waveform with_level_ends(const Waveform& wave) {
  const Eigen::Index size = wave.samples.size();
  return {wave.samples - Eigen::VectorXf::LinSpaced(size, wave.samples[0], wave.samples[size - 1]),
          wave.sample_rate_hz};
}

}  // namespace

Waveform cleaned(const Waveform& wave, const Cleaning& cleaning) {
  check_recording(wave);
  return cleaned_rest(cleaning.remove_hum ? remove_hum(wave) : wave, cleaning);
}

Waveform cleaned_rest(const Waveform& hum_free, const Cleaning& cleaning) {
  const int rate_hz = cleaning.sample_rate_hz;
  const bool cuts = cleaning.low_cut_hz > 0;
  if (rate_hz == 0 || rate_hz == hum_free.sample_rate_hz)
    return cuts ? low_cut(hum_free, cleaning.low_cut_hz) : hum_free;
  if (!cuts) return resample(hum_free, rate_hz);
  return low_cut(resample(with_level_ends(hum_free), rate_hz), cleaning.low_cut_hz);
}

Cleaning voice_cleaning(int sample_rate_hz) { return {sample_rate_hz, 60, true}; }

Waveform levelled(const Waveform& clean, const SampleRange& kept, Level level) {
  Waveform part = part_of(clean, kept);
  return level == Level::kAsIs ? part : scale_to(part, kActiveRms);
}

std::string preset_name(const FeatureSet& set) {
  for (const std::string_view preset : preset_names())
    if (fingerprint(parse_feature_set(preset)) == fingerprint(set)) return std::string(preset);
  return {};
}

std::string describe(const FeatureSet& set) {
  if (const std::string preset = preset_name(set); !preset.empty())
    return fmt::format("--features {}", preset);
  std::vector<std::string> types;
  for (const Box<Feature>& feature : set.features) types.emplace_back(feature->type());
  const std::string rate =
      set.sample_rate_hz > 0 ? fmt::format(" at {} Hz", set.sample_rate_hz) : "";
  return fmt::format("features {}{}", join(types, ","), rate);
}

}  // namespace ser
