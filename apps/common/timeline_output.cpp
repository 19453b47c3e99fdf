#include "timeline_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "command.h"
#include "progress.h"
#include "ser/audio/rolling_window.h"
#include "ser/core/most_likely.h"
#include "ser/report/picture.h"
#include "voice_flags.h"

namespace ser {
namespace {

/// "1:02:03.4" or "2:03.4".
std::string clock_time(double seconds) {
  const auto tenths = static_cast<std::int64_t>(std::llround(seconds * 10));
  const std::int64_t hours = tenths / 36000, minutes = tenths / 600 % 60;
  const std::string tail = fmt::format("{:02}.{}", tenths / 10 % 60, tenths % 10);
  return hours > 0 ? fmt::format("{}:{:02}:{}", hours, minutes, tail)
                   : fmt::format("{}:{}", minutes, tail);
}

/// "01:02:03,456"
std::string subtitle_time(double seconds) {
  const auto ms = static_cast<std::int64_t>(std::llround(seconds * 1000));
  return fmt::format("{:02}:{:02}:{:02},{:03}", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

std::string_view without_speech(const PredictedClip& clip) {
  return clip.sound == Sound::kSilence ? "silence" : "no speech";
}

std::string label(const Model& model, const PredictedClip& clip) {
  return clip.speech ? headline(model, clip) : std::string(without_speech(clip));
}

report::PictureFormat picture_format(const std::string& file) {
  if (file.ends_with(".svg")) return report::PictureFormat::kSvg;
  if (file.ends_with(".png")) return report::PictureFormat::kPng;
  fail<UsageError>("--plot: expected a name that ends in .svg or .png, found '{}'", file);
}

}  // namespace

void TimelineFlags::visit(FieldVisitor& v) {
  v.field("window", window_s,
          "Timeline of long recordings, or --live: seconds of a window (default: 3)",
          Range{0.1, 600});
  v.field("hop", hop_s, "Seconds from one window to the next (default: 1; live 0.5)",
          Range{0.01, 3600});
  v.field("every_window", every_window, "Print every window, not neighbours merged to segments");
  v.field("labels", labels, "Write the timeline's segments as Audacity labels to this file");
  v.field("srt", srt, "Write the timeline's segments as SubRip subtitles to this file");
  v.field("plot", plot, "Draw the timeline under the waveform to this .svg or .png file (gnuplot)");
}

bool TimelineFlags::wanted() const {
  return window_s != kUnsetNumber || hop_s != kUnsetNumber || every_window || !labels.empty() ||
         !srt.empty() || !plot.empty();
}

TimelineOptions TimelineFlags::options() const {
  TimelineOptions options;
  if (window_s != kUnsetNumber) options.window_s = window_s;
  if (hop_s != kUnsetNumber) options.hop_s = hop_s;
  return options;
}

void check_timeline(const TimelineFlags& flags, std::size_t num_recordings) {
  for (const auto& [flag, value] :
       {std::pair("--labels", flags.labels), {"--srt", flags.srt}, {"--plot", flags.plot}})
    if (!value.empty() && num_recordings > 1)
      fail<UsageError>("{}: expected one recording, found {}", flag, num_recordings);
  if (flags.plot.empty()) return;
  picture_format(flags.plot);
  report::check_drawing();
}

TimelinePrinter::TimelinePrinter(const TimelineFlags& flags, const OutputOptions& output,
                                 const Model& model)
    : every_window_(flags.every_window),
      table_(!output.json && !output.csv),
      emotions_shown_(output.top_k == kUnsetInt ? 1 : output.top_k),
      model_(model),
      printer_(output, model),
      keep_(!flags.plot.empty()) {
  if (!flags.labels.empty()) labels_.emplace(flags.labels);
  if (!flags.srt.empty()) srt_.emplace(flags.srt);
}

void TimelinePrinter::begin(const std::string& file) {
  file_ = file;
  in_file_ = false;
}

void TimelinePrinter::add(const TimelineWindow& window) {
  if (keep_) timeline_.windows.push_back(window);
  if (!every_window_) return;
  const bool silent = window.sound == Sound::kSilence && !window.speech;
  const Sound sound = window.speech ? Sound::kSpeech : silent ? Sound::kSilence : Sound::kOther;
  print({.file = file_,
         .prediction = window.prediction,
         .speech = window.speech,
         .span = TimeSpan{window.start_s, window.end_s},
         .sound = sound,
         .heard_s = window.heard_s});
}

void TimelinePrinter::add(const TimelineSegment& segment) {
  if (keep_) {
    timeline_.segments.push_back(segment);
    timeline_.duration_s = segment.end_s;
  }
  const PredictedClip clip{.file = file_,
                           .prediction = segment.prediction,
                           .speech = segment.sound == Sound::kSpeech,
                           .span = TimeSpan{segment.start_s, segment.end_s},
                           .sound = segment.sound,
                           .heard_s = segment.heard_s};
  if (labels_)
    labels_->write(
        fmt::format("{:.6f}\t{:.6f}\t{}\n", segment.start_s, segment.end_s, label(model_, clip)));
  if (srt_ && segment.sound != Sound::kSilence)
    srt_->write(fmt::format("{}\n{} --> {}\n{}\n\n", ++subtitles_, subtitle_time(segment.start_s),
                            subtitle_time(segment.end_s), label(model_, clip)));
  if (!every_window_) print(clip);
}

void TimelinePrinter::finish() {
  if (labels_) labels_->commit();
  if (srt_) srt_->commit();
  if (unread_) std::rethrow_exception(unread_);
}

void TimelinePrinter::print(const PredictedClip& clip) {
  if (unread_) return;
  try {
    if (table_)
      print_row(clip);
    else
      printer_.print(clip);
  } catch (const std::exception&) {
    if (!labels_ && !srt_ && !keep_) throw;
    unread_ = std::current_exception();
  }
}

void TimelinePrinter::print_row(const PredictedClip& clip) {
  if (!in_file_) fmt::print("{}{}\n", started_ ? "\n" : "", file_);
  in_file_ = started_ = true;
  fmt::print("  {:>9}  {:>9}", clock_time(clip.span->start_s), clock_time(clip.span->end_s));
  if (!clip.speech) {
    fmt::print("  {}\n", without_speech(clip));
    return;
  }
  const ClipPrediction& p = clip.prediction;
  for (const std::size_t i : ranking(p.emotions, emotions_shown_))
    fmt::print("  {:<9}  {:>3.0f} %", model_.emotions[i], 100 * p.emotions(i));
  if (p.genders.size() > 0)
    fmt::print("  {:<6}  {:>3.0f} %", model_.genders[most_likely(p.genders)],
               100 * p.genders.maxCoeff());
  fmt::print("{}\n", is_uncertain(model_, p) ? "  uncertain" : "");
}

void plot_timeline(const std::string& name, AudioReader& reader, const Timeline& timeline,
                   const Model& model, const std::string& file) {
  const std::string title = fmt::format("{} ({})", name, clock_time(timeline.duration_s));
  write_file(file, report::draw(report::timeline_picture(reader, timeline, model.emotions, title),
                                picture_format(file)));
}

void predict_timeline(const std::string& name, AudioReader& reader, Listener& listener,
                      const TimelineFlags& flags, const CommonOptions& common,
                      TimelinePrinter& printer) {
  printer.begin(name);
  SegmentMerger merger([&](const TimelineSegment& segment) { printer.add(segment); });
  // Lines that appear on a terminal tell how far it is, too.
  Progress progress(name, "s", 0, common.quiet || ::isatty(STDOUT_FILENO) == 1);
  std::size_t seconds = 0;
  const auto on_window = [&](const TimelineWindow& window) {
    printer.add(window);
    merger.add(window);
    const auto done = static_cast<std::size_t>(window.end_s);
    progress.set_total(static_cast<std::size_t>(window.end_s / reader.share_read()));
    progress.advance(done - std::exchange(seconds, done));
  };
  merger.finish(predict_windows(reader, listener, flags.options(), common.threads, on_window));
  tell_of_voice(name, listener);
}

}  // namespace ser
