#include "ser/model/timeline.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <vector>

#include "ser/audio/rolling_window.h"
#include "ser/audio/speech.h"
#include "ser/core/most_likely.h"
#include "ser/core/parallel.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr double kSilenceRms = 0.00316;    // -50 dB of full scale
constexpr double kLeastSpeechShare = 0.2;  // of the centre: what lies around a voice is not enough

/// Windows in a row that overlap, and the sound that they are cut from.
class WindowRow {
 public:
  explicit WindowRow(const Window& window)
      : begin_(window.begin), sample_rate_hz_(window.wave.sample_rate_hz) {
    add(window);
  }

  /// Whether the window, which follows the others, overlaps them and they are not too many.
  bool takes(const Window& window) const {
    constexpr std::size_t kMost = 16;
    constexpr std::int64_t kMostS = 6;  // from the first's begin to the last's
    return windows_.size() < kMost && window.begin < begin_ + std::ssize(samples_) &&
           window.begin - begin_ <= kMostS * sample_rate_hz_;
  }
  void add(const Window& window) {
    const Index at = window.begin - begin_, size = window.wave.samples.size();
    const Index known = std::ssize(samples_) - at;
    samples_.reserve(static_cast<std::size_t>(at + size));
    samples_.insert(samples_.end(), window.wave.samples.data() + std::min(known, size),
                    window.wave.samples.data() + size);
    windows_.push_back({at, at + size});
  }

  std::size_t size() const { return windows_.size(); }
  Window operator[](std::size_t i) const {
    const auto [begin, end] = windows_[i];
    return {begin_ + begin,
            {Eigen::VectorXf::Map(samples_.data() + begin, end - begin), sample_rate_hz_}};
  }

 private:
  std::int64_t begin_;
  int sample_rate_hz_;
  std::vector<float> samples_;
  std::vector<SampleRange> windows_;
};

/// Rows of windows of a recording, one by one.
class WindowSource {
 public:
  WindowSource(AudioReader& reader, const TimelineOptions& options)
      : reader_(reader), rolling_(reader.sample_rate_hz(), options.window_s, options.hop_s) {}

  /// Nothing at the end.
  std::optional<WindowRow> next() {
    const auto keep = [&](const Window& found) {
      if (!rows_.empty() && rows_.back().takes(found))
        rows_.back().add(found);
      else
        rows_.emplace_back(found);
    };
    while (rows_.size() < 2 && !ended_) {
      const std::span<const float> block = reader_.next_block();
      ended_ = block.empty();
      if (ended_)
        rolling_.finish_with_rest(keep);
      else
        rolling_.push(block, keep);
    }
    if (rows_.empty()) return {};
    std::optional<WindowRow> row = std::move(rows_.front());
    rows_.pop_front();
    return row;
  }

  double heard_s() const { return rolling_.heard_s(); }

 private:
  AudioReader& reader_;
  RollingWindow rolling_;
  std::deque<WindowRow> rows_;  ///< the last one may grow
  bool ended_ = false;
};

/// The middle of a window, one hop wide; it reaches out to the recording's beginning, and to its
/// end where the window was cut there.
SampleRange centre_of(const Window& window, const TimelineOptions& options) {
  const Index rate = window.wave.sample_rate_hz, size = window.wave.samples.size();
  const Index full = std::lround(options.window_s * static_cast<double>(rate));
  const Index hop = std::lround(options.hop_s * static_cast<double>(rate));
  const Index around = std::max<Index>(0, (full - hop) / 2);
  return {window.begin == 0 ? 0 : std::min(around, size), size < full ? size : size - around};
}

/// The same part of the window where it was resampled.
SampleRange at_rate(const SampleRange& part, const Waveform& window, const Waveform& resampled) {
  const Index from = window.sample_rate_hz, to = resampled.sample_rate_hz;
  return {part.begin * to / from, std::min(part.end * to / from, resampled.samples.size())};
}

bool is_spoken(const SampleRange& centre, const Speech& speech) {
  Index spoken = 0;
  for (const SampleRange& part : speech.parts)
    spoken +=
        std::max<Index>(0, std::min(part.end, centre.end) - std::max(part.begin, centre.begin));
  const auto size = static_cast<double>(centre.end - centre.begin);
  return spoken > 0 && static_cast<double>(spoken) >= kLeastSpeechShare * size;
}

bool is_silent(const SampleRange& centre, const Waveform& wave) {
  const Index size = centre.end - centre.begin;
  const double energy = wave.samples.segment(centre.begin, size).cast<double>().squaredNorm();
  return energy < kSilenceRms * kSilenceRms * static_cast<double>(size);
}

Sound sound_at_centre(const Window& window, const TimelineOptions& options, SharedAnalysis& clip,
                      const Speech& speech) {
  const SampleRange centre = centre_of(window, options);
  const Waveform& voice = clip.voice_band();
  const SampleRange in_voice = at_rate(centre, window.wave, voice);
  if (is_spoken(in_voice, speech)) return Sound::kSpeech;
  if (!is_silent(in_voice, voice)) return Sound::kOther;
  // What is silent in the band of a voice may hiss above.
  const bool silent = is_silent(centre, clip.clean(voice_cleaning(window.wave.sample_rate_hz)));
  return silent ? Sound::kSilence : Sound::kOther;
}

/// A window as a stranger's, and what sounds at its centre.
struct MetWindow {
  MetClip clip;
  Sound sound = Sound::kSilence;
};

MetWindow meet_window(const Window& window, WindowMemory& memory, const Predictor& predictor,
                      const TimelineOptions& options) {
  SharedAnalysis clip(window.wave, window.begin, memory);
  const Speech speech = find_speech(clip.voice_band());
  return {meet(predictor, clip, window.start_s(), speech.found),
          sound_at_centre(window, options, clip, speech)};
}

/// The windows of a row are met one after the other, whatever the number of threads.
std::vector<MetWindow> meet_row(const WindowRow& row, const Predictor& predictor,
                                const TimelineOptions& options) {
  WindowMemory memory;
  std::vector<MetWindow> met;
  for (std::size_t i = 0; i < row.size(); ++i)
    met.push_back(meet_window(row[i], memory, predictor, options));
  return met;
}

/// Calls on_window for windows in order. Returns the recording's duration, s.
double for_each_window(AudioReader& reader, const Predictor& predictor,
                       const TimelineOptions& options, int threads,
                       const std::function<void(const MetWindow&)>& on_window) {
  WindowSource source(reader, options);
  const std::size_t slots = pipeline_slots(threads);
  std::vector<std::optional<WindowRow>> rows(slots);
  std::vector<std::vector<MetWindow>> met(slots);
  parallel_pipeline(
      threads,
      [&](std::size_t, std::size_t slot) { return (rows[slot] = source.next()).has_value(); },
      [&](std::size_t, std::size_t slot) {
        met[slot] = meet_row(*rows[slot], predictor, options);
        rows[slot].reset();
      },
      [&](std::size_t, std::size_t slot) {
        for (const MetWindow& window : met[slot]) on_window(window);
        met[slot].clear();
      });
  return source.heard_s();
}

double centre_s(const TimelineWindow& window) { return (window.start_s + window.end_s) / 2; }

void add_weighted(ClipPrediction& sum, const ClipPrediction& prediction, double weight) {
  if (sum.emotions.size() == 0) {
    sum.emotions = Eigen::VectorXd::Zero(prediction.emotions.size());
    sum.genders = Eigen::VectorXd::Zero(prediction.genders.size());
  }
  sum.emotions += weight * prediction.emotions;
  sum.genders += weight * prediction.genders;
}

ClipPrediction scaled(ClipPrediction sum, double scale) {
  sum.emotions *= scale;
  sum.genders *= scale;
  return sum;
}

ClipPrediction smoothed(const TimelineWindow* previous, const TimelineWindow& current,
                        const TimelineWindow* next) {
  if (current.sound != Sound::kSpeech) return current.prediction;
  ClipPrediction sum;
  add_weighted(sum, current.prediction, 2);
  double weights = 2;
  for (const TimelineWindow* neighbour : {previous, next}) {
    if (!neighbour || neighbour->sound != Sound::kSpeech ||
        tell_different_genders(neighbour->prediction.genders, current.prediction.genders))
      continue;
    add_weighted(sum, neighbour->prediction, 1);
    weights += 1;
  }
  return scaled(std::move(sum), 1 / weights);
}

}  // namespace

double predict_windows(AudioReader& reader, Listener& listener, const TimelineOptions& options,
                       int threads, const std::function<void(const TimelineWindow&)>& on_window) {
  const double duration_s =
      for_each_window(reader, listener.predictor(), options, threads, [&](const MetWindow& window) {
        const MetClip& clip = window.clip;
        ClipPrediction prediction = listener.answer(clip);
        on_window({clip.start_s, clip.end_s, clip.speech, window.sound, std::move(prediction),
                   listener.voice().duration_s()});
        listener.hear(clip);
      });
  listener.end_recording();
  return duration_s;
}

namespace {

/// Sums answers of windows.
class WindowMean {
 public:
  void add(const TimelineWindow& window) {
    const bool silent = window.sound == Sound::kSilence && !window.speech;
    sounding_ += silent ? 0 : 1;
    Sum& sum = window.speech ? spoken_ : other_;
    add_weighted(sum.prediction, window.prediction, 1);
    ++sum.windows;
    heard_s_ = window.heard_s;
  }
  RecordingPrediction mean() const {
    constexpr double kLeastShare = 0.1;
    const bool speech = spoken_.windows > 0 && static_cast<double>(spoken_.windows) >=
                                                   kLeastShare * static_cast<double>(sounding_);
    Sum sum = spoken_;
    if (!speech && other_.windows > 0) {
      add_weighted(sum.prediction, other_.prediction, 1);
      sum.windows += other_.windows;
    }
    return {scaled(sum.prediction, 1.0 / static_cast<double>(sum.windows)), speech, sum.windows,
            heard_s_};
  }

 private:
  struct Sum {
    ClipPrediction prediction;
    std::size_t windows = 0;
  };
  Sum spoken_, other_;
  std::size_t sounding_ = 0;
  double heard_s_ = 0;
};

}  // namespace

RecordingPrediction predict_recording(AudioReader& reader, Listener& listener, int threads) {
  if (const Waveform wave = read_start(reader, kLongestPieceS);
      wave.duration_s() <= kLongestPieceS) {
    const MetClip clip = meet(listener.predictor(), wave, 0);
    RecordingPrediction result{listener.answer(clip), clip.speech, 0,
                               listener.voice().duration_s()};
    if (wave.duration_s() < 2 * kHeardPieceS)
      listener.hear(clip);
    else
      listener.hear(wave);
    listener.end_recording();
    return result;
  }
  reader.restart();
  WindowMean mean;
  predict_windows(reader, listener, {kHeardPieceS, kHeardPieceS}, threads,
                  [&](const TimelineWindow& window) { mean.add(window); });
  return mean.mean();
}

void hear_recording(AudioReader& reader, Listener& listener, int threads) {
  if (const Waveform wave = read_start(reader, kLongestPieceS); wave.duration_s() <= kLongestPieceS)
    return listener.hear(wave);
  reader.restart();
  for_each_window(reader, listener.predictor(), {kHeardPieceS, kHeardPieceS}, threads,
                  [&](const MetWindow& window) { listener.hear(window.clip); });
  listener.end_recording();
}

void SegmentMerger::add(const TimelineWindow& window) {
  if (current_) place(&window, (centre_s(*current_) + centre_s(window)) / 2);
  previous_ = std::move(current_);
  current_ = window;
}

void SegmentMerger::finish(double duration_s) {
  if (!current_) return;
  place(nullptr, duration_s);
  close();
}

/// Hands on the segment, if there is one.
void SegmentMerger::close() {
  if (windows_ == 0) return;
  segment_.prediction = scaled(std::move(segment_.prediction), 1.0 / static_cast<double>(windows_));
  on_segment_(segment_);
}

bool SegmentMerger::joins(const ClipPrediction& prediction) const {
  if (windows_ == 0 || segment_.sound != current_->sound) return false;
  if (segment_.sound != Sound::kSpeech) return true;
  const ClipPrediction mean = scaled(segment_.prediction, 1.0 / static_cast<double>(windows_));
  return most_likely(mean.emotions) == most_likely(prediction.emotions) &&
         !tell_different_genders(mean.genders, prediction.genders);
}

/// Puts the current window, which ends for segments at `end_s`, into a segment.
void SegmentMerger::place(const TimelineWindow* next, double end_s) {
  const ClipPrediction prediction = smoothed(previous_ ? &*previous_ : nullptr, *current_, next);
  if (!joins(prediction)) {
    close();
    segment_ = {current_start_s_, end_s, current_->sound, {}, 0};
    windows_ = 0;
  }
  add_weighted(segment_.prediction, prediction, 1);
  ++windows_;
  segment_.heard_s = current_->heard_s;
  segment_.end_s = end_s;
  current_start_s_ = end_s;
}

}  // namespace ser
