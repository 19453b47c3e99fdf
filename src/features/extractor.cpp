#include "ser/features/extractor.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "core/internal/fail.h"
#include "features/frame_memory.h"
#include "features/internal/feature_set.h"
#include "features/memo.h"
#include "features/noise_floor.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/low_cut.h"

namespace ser {
namespace {

void check(const FeatureSet& set) {
  if (set.features.empty()) fail("feature set: expected at least one feature, found none");
  if (set.sample_rate_hz != 0 &&
      (set.sample_rate_hz < kLowestRateHz || set.sample_rate_hz > kHighestRateHz))
    fail("feature set: expected sample_rate_hz 0 or {} to {}, found {}", kLowestRateHz,
         kHighestRateHz, set.sample_rate_hz);
  check_ranges(set);
  for (const Box<Feature>& feature : set.features) {
    if (feature->hop_samples() == 0 && feature->delta_order > 0)
      fail("feature '{}' describes a whole clip: it has no delta", feature->type());
    if (set.pool != Pooling::kNone) continue;
    if (feature->hop_samples() == 0)
      fail("feature '{}' describes a whole clip: pool the set (mean or stats)", feature->type());
    const Feature& first = *set.features.front();
    if (feature->hop_samples() != first.hop_samples())
      fail(
          "features of one set need one hop: '{}' has {} samples, '{}' has {}; pool them, or set "
          "hop_samples",
          first.type(), first.hop_samples(), feature->type(), feature->hop_samples());
  }
}

}  // namespace

Extractor::Extractor(FeatureSet set) : set_(std::move(set)) {
  check(set_);
  row_names_ = ser::row_names(set_);
  std::vector<std::string> sorted = row_names_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) fail("feature set: row '{}' is named twice", *twice);
}

struct WindowMemory::Impl {
  /// Of the sound cleaned in one way.
  struct Met {
    CleanTrace trace;
    FrameMemory frames;
  };
  Memo<Cleaning, Met> cleanings = {};
};

WindowMemory::WindowMemory() : impl_(std::make_unique<Impl>()) {}
WindowMemory::~WindowMemory() = default;

struct SharedAnalysis::Impl {
  struct Clean {
    Waveform wave;
    FramePlace place;
  };
  struct Entry {
    Entry(Waveform made, const Tables& tables, const FramePlace& place)
        : wave(std::move(made)), analysis(wave, tables, place) {}
    Waveform wave;
    Analysis analysis;
  };
  using Kept = std::tuple<Cleaning, Eigen::Index, Eigen::Index, Level>;

  const Clean& clean(const Cleaning& cleaning) {
    return cleaned.get(cleaning, [&] {
      if (!memory) return Clean{ser::cleaned(wave, cleaning), {}};
      check_recording(wave);
      Waveform clean = cleaned_rest(cleaning.remove_hum ? without_hum() : wave, cleaning);
      const FramePlace place = place_of(clean, cleaning);
      return Clean{std::move(clean), place};
    });
  }

  const Waveform& without_hum() {
    if (!hum_free) hum_free = remove_hum(wave);
    return *hum_free;
  }

  /// Where a clean window lies among those that `memory` met.
  FramePlace place_of(const Waveform& clean, const Cleaning& cleaning) const {
    const Eigen::Index scaled = begin * clean.sample_rate_hz;
    if (!memory || scaled % wave.sample_rate_hz != 0) return {};
    WindowMemory::Impl::Met& met =
        memory->cleanings.get(cleaning, [] { return WindowMemory::Impl::Met(); });
    FramePlace place{&met.frames, scaled / wave.sample_rate_hz, {}};
    place.known = met.trace.meet(clean, place.begin);
    if (met.trace.restarted()) met.frames = {};
    return place;
  }

  const Waveform& wave;
  Eigen::Index begin = 0;
  WindowMemory::Impl* memory = nullptr;
  std::optional<Waveform> hum_free = {};
  Memo<Cleaning, Clean> cleaned = {};
  Memo<Kept, std::unique_ptr<Entry>> entries = {};
};

SharedAnalysis::SharedAnalysis(const Waveform& wave) : impl_(new Impl{wave}) {}
SharedAnalysis::SharedAnalysis(const Waveform& wave, Eigen::Index begin, WindowMemory& memory)
    : impl_(new Impl{wave, begin, memory.impl_.get()}) {}
SharedAnalysis::~SharedAnalysis() = default;

const Waveform& SharedAnalysis::wave() const { return impl_->wave; }

const Waveform& SharedAnalysis::clean(const Cleaning& cleaning) {
  return impl_->clean(cleaning).wave;
}

const Waveform& SharedAnalysis::voice_band() {
  constexpr int kVoiceRateHz = 16000;  // of the presets: one cleaning serves all
  return clean(voice_cleaning(std::min(impl_->wave.sample_rate_hz, kVoiceRateHz)));
}

const Analysis& SharedAnalysis::of(const Preparation& preparation, const Tables& tables) {
  const Cleaning& cleaning = preparation;
  const Impl::Clean& clean = impl_->clean(cleaning);
  const FramePlace& place = clean.place;
  const SampleRange kept = kept_range(clean.wave, preparation);
  const auto make = [&] {
    const auto inside = [&](Eigen::Index i) {
      return std::clamp<Eigen::Index>(i - kept.begin, 0, kept.end - kept.begin);
    };
    auto entry = std::make_unique<Impl::Entry>(
        levelled(clean.wave, kept, preparation.level), tables,
        FramePlace{place.memory,
                   place.begin + kept.begin,
                   {inside(place.known.begin), inside(place.known.end)},
                   cleaning.low_cut_hz == 0});
    if (preparation.level != Level::kActiveOverNoise) return entry;
    const std::optional<double> noise_db = lacking_noise_db(entry->analysis, kActiveRms);
    if (!noise_db) return entry;
    const double rms = kActiveRms * std::pow(10, -*noise_db / 20);
    return std::make_unique<Impl::Entry>(with_noise(std::move(entry->wave), rms), tables,
                                         FramePlace{.may_be_offset = cleaning.low_cut_hz == 0});
  };
  return impl_->entries.get({cleaning, kept.begin, kept.end, preparation.level}, make)->analysis;
}

Eigen::MatrixXf Extractor::extract(const Waveform& wave) const {
  SharedAnalysis recording(wave);
  return extract(recording);
}

Eigen::MatrixXf Extractor::extract(SharedAnalysis& recording) const {
  const Analysis& analysis = recording.of(set_, tables_);
  const auto values_of = [&](const Feature& feature) {
    try {
      return feature.values(analysis);
    } catch (const Error& error) {
      if (set_.sample_rate_hz != 0) throw;
      fail("{} (at the recording's own rate of {} Hz; --rate, or sample_rate_hz, sets another)",
           error.what(), recording.wave().sample_rate_hz);
    }
  };
  std::vector<FrameMatrix> parts;
  Eigen::Index rows = 0;
  for (const Box<Feature>& feature : set_.features) {
    FrameMatrix values = values_of(*feature);
    if (set_.pool != Pooling::kNone) values = pool(*feature, values, analysis, set_.pool);
    rows += values.rows();
    parts.push_back(std::move(values));
  }
  Eigen::MatrixXf all(rows, parts.front().cols());
  Eigen::Index begin = 0;
  for (const FrameMatrix& part : parts) {
    all.middleRows(begin, part.rows()) = part;
    begin += part.rows();
  }
  return all;
}

}  // namespace ser
