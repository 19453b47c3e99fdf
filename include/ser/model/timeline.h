#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/model/listener.h"

namespace ser {

/// How a long recording is cut.
struct TimelineOptions {
  double window_s = 3;
  double hop_s = 1;
};

enum class Sound {
  kSpeech,
  kOther,    ///< noise, tones, music
  kSilence,  ///< neither, and below -50 dB of full scale
};

/// One window of a recording.
struct TimelineWindow {
  double start_s = 0;
  double end_s = 0;
  bool speech = false;            ///< somewhere in the window
  Sound sound = Sound::kSilence;  ///< at its centre, one hop wide
  ClipPrediction prediction;      ///< of the window cut out and predicted as a recording
  double heard_s = 0;             ///< of the voice, before
};

/// A stretch of a recording with one emotion and one voice's gender, or without speech.
struct TimelineSegment {
  double start_s = 0;
  double end_s = 0;
  Sound sound = Sound::kSilence;
  ClipPrediction prediction;  ///< mean over its windows, smoothed where there is speech
  double heard_s = 0;         ///< of the voice, before its last window
};

/// Emotion over time, for drawing.
struct Timeline {
  double duration_s = 0;
  std::vector<TimelineWindow> windows;
  std::vector<TimelineSegment> segments;
};

/// Predicts window after window of a recording of any length in flat memory; windows start every
/// hop, and the last one is cut at the end. `on_window` is called in order, and not in parallel;
/// so does the listener hear. The result does not depend on `threads`. Returns the recording's
/// duration, s. Throws Error as AudioReader and RollingWindow do.
double predict_windows(AudioReader& reader, Listener& listener, const TimelineOptions& options,
                       int threads, const std::function<void(const TimelineWindow&)>& on_window);

/// What is said of a whole recording.
struct RecordingPrediction {
  ClipPrediction prediction;
  bool speech = false;
  std::size_t windows = 0;  ///< that it is the mean of; 0: it was predicted as a whole
  double heard_s = 0;       ///< of the voice, before its end
};

/// Predicts a recording of any length in flat memory, then hears it. Up to kLongestPieceS, it is
/// predicted as it is. A longer one, which is no single utterance as those that models are trained
/// on, is cut into windows of 3 s, side by side; there is speech if a tenth of the windows that are
/// not silent have some, and the answer is the mean over those (over all windows if there is none).
/// reader: at its beginning. Throws Error as AudioReader does.
RecordingPrediction predict_recording(AudioReader& reader, Listener& listener, int threads);

/// Hears a recording of any length in flat memory, in pieces of a few seconds. reader: at its
/// beginning. Throws Error as AudioReader does.
void hear_recording(AudioReader& reader, Listener& listener, int threads);

/// Joins windows to segments while they come. A segment begins and ends half-way between the
/// centres of windows; together, segments cover the recording. Probabilities of a window with
/// speech at its centre are smoothed with those of its neighbours with speech, weighted 1:2:1,
/// before the most likely emotion is taken; windows that are sure of different genders are neither
/// joined nor smoothed.
class SegmentMerger {
 public:
  using OnSegment = std::function<void(const TimelineSegment&)>;

  explicit SegmentMerger(OnSegment on_segment) : on_segment_(std::move(on_segment)) {}

  void add(const TimelineWindow& window);
  void finish(double duration_s);

 private:
  bool joins(const ClipPrediction& prediction) const;
  void place(const TimelineWindow* next, double end_s);
  void close();

  OnSegment on_segment_;
  std::optional<TimelineWindow> previous_, current_;
  double current_start_s_ = 0;
  TimelineSegment segment_;  ///< its prediction is a sum over `windows_` windows
  std::size_t windows_ = 0;
};

}  // namespace ser
