#pragma once

#include <exception>
#include <optional>
#include <string>

#include "command.h"
#include "prediction_output.h"
#include "ser/core/atomic_file.h"
#include "ser/model/timeline.h"

namespace ser {

/// Flags of the timeline of long recordings; any of them asks for it.
struct TimelineFlags {
  double window_s = kUnsetNumber;
  double hop_s = kUnsetNumber;
  bool every_window = false;
  std::string labels;
  std::string srt;
  std::string plot;

  void visit(FieldVisitor& v);
  bool wanted() const;
  TimelineOptions options() const;
};

/// Throws UsageError for numbers out of bounds, for a file of segments for several recordings, and
/// for a picture that is neither .svg nor .png; Error if it cannot be drawn because gnuplot is
/// missing.
void check_timeline(const TimelineFlags& flags, std::size_t num_recordings);

/// Writes the timeline of recordings, one after the other: segments, or every window, on stdout;
/// segments as Audacity labels and as SubRip subtitles to the files that the flags name.
class TimelinePrinter {
 public:
  /// The model must outlive it.
  TimelinePrinter(const TimelineFlags& flags, const OutputOptions& output, const Model& model);

  /// What is added from now on belongs to `file`.
  void begin(const std::string& file);
  void add(const TimelineWindow& window);
  void add(const TimelineSegment& segment);
  /// Puts the files in place. They are made though stdout takes nothing any more, which is thrown
  /// only now; without files, at once.
  void finish();
  /// What was added, if a picture is asked for.
  const Timeline& timeline() const { return timeline_; }

 private:
  void print(const PredictedClip& clip);
  void print_row(const PredictedClip& clip);

  bool every_window_;
  bool table_;
  int emotions_shown_;
  const Model& model_;
  PredictionPrinter printer_;
  std::optional<AtomicFile> labels_, srt_;
  std::string file_;
  bool in_file_ = false, started_ = false;  ///< lines were printed: of this file, at all
  int subtitles_ = 0;
  bool keep_;
  Timeline timeline_;
  std::exception_ptr unread_;  ///< why stdout takes no more, while there are files to make
};

/// Draws a timeline to the file of --plot. reader: of the same recording, from its start.
void plot_timeline(const std::string& name, AudioReader& reader, const Timeline& timeline,
                   const Model& model, const std::string& file);

/// Predicts the timeline of one recording and hands it to `printer`, with a progress bar.
void predict_timeline(const std::string& name, AudioReader& reader, Listener& listener,
                      const TimelineFlags& flags, const CommonOptions& common,
                      TimelinePrinter& printer);

}  // namespace ser
