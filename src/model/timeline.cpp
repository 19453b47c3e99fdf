#include "ser/model/timeline.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "ser/audio/rolling_window.h"
#include "ser/audio/speech.h"
#include "ser/core/most_likely.h"
#include "ser/core/parallel.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr double kSilenceRms = 0.00316;    // -50 dB of full scale
constexpr double kLeastSpeechShare = 0.2;  // of the centre: what lies around a voice is not enough

/// Windows of a recording, one by one.
class WindowSource {
 public:
  WindowSource(AudioReader& reader, const TimelineOptions& options)
      : reader_(reader), rolling_(reader.sample_rate_hz(), options.window_s, options.hop_s) {}

  /// False at the end.
  bool next(Window& window) {
    const auto keep = [&](const Window& found) { pending_.push_back(found); };
    while (pending_.empty() && !ended_) {
      const std::span<const float> block = reader_.next_block();
      ended_ = block.empty();
      if (ended_)
        rolling_.finish_with_rest(keep);
      else
        rolling_.push(block, keep);
    }
    if (pending_.empty()) return false;
    window = std::move(pending_.front());
    pending_.pop_front();
    return true;
  }

  double heard_s() const { return rolling_.heard_s(); }

 private:
  AudioReader& reader_;
  RollingWindow rolling_;
  std::deque<Window> pending_;
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

Sound sound_at_centre(const Window& window, const TimelineOptions& options, const Waveform& voice,
                      const Speech& speech) {
  const SampleRange centre = centre_of(window, options);
  const SampleRange in_voice = at_rate(centre, window.wave, voice);
  if (is_spoken(in_voice, speech)) return Sound::kSpeech;
  if (!is_silent(in_voice, voice)) return Sound::kOther;
  // What is silent in the band of a voice may hiss above.
  const Waveform all_bands = cleaned(window.wave, voice_cleaning(window.wave.sample_rate_hz));
  return is_silent(centre, all_bands) ? Sound::kSilence : Sound::kOther;
}

/// A window as a stranger's, and what sounds at its centre.
struct MetWindow {
  MetClip clip;
  Sound sound = Sound::kSilence;
};

MetWindow meet_window(const Window& window, const Predictor& predictor,
                      const TimelineOptions& options) {
  SharedAnalysis clip(window.wave);
  const Waveform& voice = clip.voice_band();
  const Speech speech = find_speech(voice);
  return {meet(predictor, clip, window.start_s(), speech.found),
          sound_at_centre(window, options, voice, speech)};
}

/// Calls on_window for windows in order. Returns the recording's duration, s.
double for_each_window(AudioReader& reader, const Predictor& predictor,
                       const TimelineOptions& options, int threads,
                       const std::function<void(const MetWindow&)>& on_window) {
  WindowSource source(reader, options);
  const std::size_t slots = pipeline_slots(threads);
  std::vector<Window> windows(slots);
  std::vector<MetWindow> met(slots);
  parallel_pipeline(
      threads, [&](std::size_t, std::size_t slot) { return source.next(windows[slot]); },
      [&](std::size_t, std::size_t slot) {
        met[slot] = meet_window(windows[slot], predictor, options);
      },
      [&](std::size_t, std::size_t slot) { on_window(met[slot]); });
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
    if (!neighbour || neighbour->sound != Sound::kSpeech) continue;
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

constexpr double kPieceS = 3;

}  // namespace

RecordingPrediction predict_recording(AudioReader& reader, Listener& listener, int threads) {
  if (const Waveform wave = read_start(reader, kLongestPieceS);
      wave.duration_s() <= kLongestPieceS) {
    const MetClip clip = meet(listener.predictor(), wave, 0);
    RecordingPrediction result{listener.answer(clip), clip.speech, 0,
                               listener.voice().duration_s()};
    if (wave.duration_s() < 2 * kPieceS)
      listener.hear(clip);
    else
      listener.hear(wave);
    listener.end_recording();
    return result;
  }
  reader.restart();
  WindowMean mean;
  predict_windows(reader, listener, {kPieceS, kPieceS}, threads,
                  [&](const TimelineWindow& window) { mean.add(window); });
  return mean.mean();
}

void hear_recording(AudioReader& reader, Listener& listener, int threads) {
  if (const Waveform wave = read_start(reader, kLongestPieceS); wave.duration_s() <= kLongestPieceS)
    return listener.hear(wave);
  reader.restart();
  for_each_window(reader, listener.predictor(), {kPieceS, kPieceS}, threads,
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

/// Puts the current window, which ends for segments at `end_s`, into a segment.
void SegmentMerger::place(const TimelineWindow* next, double end_s) {
  const ClipPrediction prediction = smoothed(previous_ ? &*previous_ : nullptr, *current_, next);
  const bool joins =
      windows_ > 0 && segment_.sound == current_->sound &&
      (segment_.sound != Sound::kSpeech ||
       most_likely(segment_.prediction.emotions) == most_likely(prediction.emotions));
  if (!joins) {
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

Timeline make_timeline(AudioReader& reader, Listener& listener, const TimelineOptions& options,
                       int threads) {
  Timeline timeline;
  SegmentMerger merger(
      [&](const TimelineSegment& segment) { timeline.segments.push_back(segment); });
  timeline.duration_s =
      predict_windows(reader, listener, options, threads, [&](const TimelineWindow& window) {
        timeline.windows.push_back(window);
        merger.add(window);
      });
  merger.finish(timeline.duration_s);
  return timeline;
}

}  // namespace ser
