#include "live.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "command.h"
#include "interrupt.h"
#include "ser/audio/rolling_window.h"
#include "ser/audio/wav_recorder.h"
#include "ser/core/most_likely.h"
#include "ser/model/listener.h"
#include "standard_output.h"
#include "talk.h"
#include "timeline_output.h"
#include "voice_flags.h"

namespace ser {
namespace {

/// How long answers took, in memory that does not grow.
class Latencies {
 public:
  void add(double ms) {
    ++bins_[std::min(bins_.size() - 1, static_cast<std::size_t>(ms / kBin_ms))];
    ++count_;
    longest_ms_ = std::max(longest_ms_, ms);
  }
  /// What the share `share` of all answers did not exceed, to a tenth of a millisecond.
  double quantile_ms(double share) const {
    std::size_t below = 0, bin = 0;
    while (bin < bins_.size() - 1 && static_cast<double>(below += bins_[bin]) < share * count())
      ++bin;
    return std::min(longest_ms_, (static_cast<double>(bin) + 1) * kBin_ms);
  }
  double count() const { return static_cast<double>(count_); }
  double longest_ms() const { return longest_ms_; }

 private:
  static constexpr double kBin_ms = 0.1;
  std::array<std::size_t, 20000> bins_{};
  std::size_t count_ = 0;
  double longest_ms_ = 0;
};

/// Features make their tables when they first see a rate: not while somebody is waiting.
void warm_up(const Predictor& predictor, int sample_rate_hz) {
  Rng rng(0, 0);
  Waveform noise{Eigen::VectorXf(sample_rate_hz), sample_rate_hz};
  for (float& sample : noise.samples) sample = static_cast<float>(0.1 * rng.normal());
  predictor.predict(noise);
}

constexpr int kWidestBar = 40;
constexpr int kBesideBar = 24;  ///< columns of name and per cent
constexpr const char* kBold = "\033[1m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kPlain = "\033[0m";

bool draws_in_place(int lines, winsize& size) {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && kind && std::string_view(kind) != "dumb" &&
         ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > lines &&
         size.ws_col > kBesideBar;
}

/// Shows the predictions of window after window on stdout: on a terminal one bar an emotion,
/// redrawn in place, otherwise a line a window.
class LiveDisplay {
 public:
  /// The model must outlive it.
  LiveDisplay(const Model& model, int top_k);

  void show(const PredictedClip& window, double latency_ms);

 private:
  void draw(const PredictedClip& window, double latency_ms, std::size_t bars, int columns);

  const Model& model_;
  int top_k_;
  bool colours_;
  int lines_drawn_ = 0;
};

LiveDisplay::LiveDisplay(const Model& model, int top_k)
    : model_(model), top_k_(top_k), colours_(std::getenv("NO_COLOR") == nullptr) {}

void LiveDisplay::show(const PredictedClip& window, double latency_ms) {
  const std::size_t bars = top_k_ == kUnsetInt
                               ? model_.emotions.size()
                               : std::min(model_.emotions.size(), static_cast<std::size_t>(top_k_));
  winsize size{};
  if (draws_in_place(static_cast<int>(bars) + 1, size))
    draw(window, latency_ms, bars, size.ws_col);
  else
    fmt::print("{:7.1f} s  {}{}  {:.0f} ms\n", window.span->end_s, headline(model_, window),
               heard_of_voice(window), latency_ms);
  std::fflush(stdout);
}

void LiveDisplay::draw(const PredictedClip& window, double latency_ms, std::size_t bars,
                       int columns) {
  // Unless a few are asked for, bars keep their places.
  std::vector<std::size_t> order = ranking(window.prediction.emotions, bars);
  const std::size_t first = order.front();
  if (top_k_ == kUnsetInt) std::sort(order.begin(), order.end());
  const auto styled = [&](const char* style, const std::string& text) {
    return colours_ ? style + text + kPlain : text;
  };
  const std::string title = fmt::format("{:7.1f} s  {}{}", window.span->end_s,
                                        headline(model_, window), heard_of_voice(window));
  const std::string latency = fmt::format("{:.0f} ms", latency_ms);
  const std::size_t room = static_cast<std::size_t>(columns) - latency.size() - 2;
  if (lines_drawn_ > 0) fmt::print("\033[{}A", lines_drawn_);
  fmt::print("\r{}  {}\033[K\n", styled(kBold, title.substr(0, room)), latency);
  const int widest = std::min(kWidestBar, columns - kBesideBar);
  for (const std::size_t i : order) {
    const double share = window.speech ? window.prediction.emotions(i) : 0;
    const std::string bar(static_cast<std::size_t>(std::lround(share * widest)), '#');
    const std::string line =
        fmt::format("{:<10} {:>5.1f} %  {}", model_.emotions[i].substr(0, 10), 100 * share, bar);
    fmt::print("  {}\033[K\n", window.speech && i == first ? styled(kGreen, line) : line);
  }
  lines_drawn_ = static_cast<int>(bars) + 1;
}

/// From sound to answers, and what is remembered of them.
class Session {
 public:
  Session(const LiveOptions& options, const OutputOptions& output, Listener& listener,
          LiveInput& input)
      : listener_(listener),
        input_(input),
        windows_(input.sample_rate_hz(), options.window_s, options.hop_s),
        smoother_(options.smooth_s, options.hop_s),
        printer_(output, model()),
        display_(model(), output.top_k),
        window_s_(options.window_s),
        structured_(output.json || output.csv),
        counts_(model().emotions.size()) {
    if (options.record.empty()) return;
    if (std::filesystem::is_regular_file(options.record))
      talk::warn("{}: the recording that is there will be replaced", options.record);
    recorder_.emplace(options.record, input.sample_rate_hz(), input.format());
  }

  void run() {
    talk::info("listening to {} at {} Hz, first answer after {} s; Ctrl-C ends", shown_name(),
               input_.sample_rate_hz(), window_s_);
    const auto on_window = [&](const Window& window) { answer(window); };
    for (LiveBlock block = input_.next(); !block.samples.empty(); block = input_.next()) {
      arrival_ = block.arrival;
      if (block.lost) lose();
      if (recorder_) record(block.samples);
      windows_.push(block.samples, on_window);
    }
    windows_.finish(on_window);
    listener_.end_recording();
    if (recorder_) recorder_->close();
  }

  void summarize() const {
    talk::info("heard {:.1f} s: {:.0f} windows, {} with speech{}", windows_.heard_s(),
               latencies_.count(), speech_, most_often());
    tell_of_voice(shown_name(), listener_);
    talk::warn_of(input_.notices(), shown_name());
    if (losses_ > 0)
      talk::info("sound was lost {}", losses_ == 1 ? "once" : fmt::format("{} times", losses_));
    if (latencies_.count() > 0)
      talk::info(
          "from a window's end to its answer: median {:.1f} ms, 99 % within {:.1f} ms, longest "
          "{:.1f} ms",
          latencies_.quantile_ms(0.5), latencies_.quantile_ms(0.99), latencies_.longest_ms());
  }

 private:
  const Model& model() const { return listener_.predictor().model(); }
  std::string shown_name() const { return input_.name() == "-" ? "standard input" : input_.name(); }

  std::string most_often() const {
    if (speech_ == 0) return "";
    const std::size_t emotion = most_likely(counts_);
    return fmt::format(", most often {} ({})", model().emotions[emotion], counts_[emotion]);
  }

  void lose() {
    if (losses_++ == 0)
      talk::warn("{}: sound was lost, this machine does not keep up; a longer --hop helps",
                 shown_name());
    windows_.restart();
    smoother_.reset();
  }

  void record(std::span<const float> samples) {
    const bool was_full = recorder_->full();
    recorder_->write(samples);
    if (recorder_->full() && !was_full)
      talk::warn("the recording is full: a WAV file holds 4 GiB; listening goes on");
  }

  void answer(const Window& window) {
    const MetClip met = meet(listener_.predictor(), window.wave, window.start_s());
    PredictedClip clip{.file = input_.name(),
                       .prediction = listener_.answer(met),
                       .speech = met.speech,
                       .span = TimeSpan{met.start_s, met.end_s},
                       .heard_s = listener_.voice().duration_s()};
    listener_.hear(met);
    if (clip.speech)
      clip.prediction = smoother_.add(clip.prediction);
    else
      smoother_.reset();
    if (structured_)
      printer_.print(clip);
    else
      display_.show(clip, since_arrival_ms());
    flush_stdout();
    latencies_.add(since_arrival_ms());
    if (!clip.speech) return;
    ++speech_;
    ++counts_[most_likely(clip.prediction.emotions)];
  }

  double since_arrival_ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - arrival_)
        .count();
  }

  Listener& listener_;
  LiveInput& input_;
  RollingWindow windows_;
  PredictionSmoother smoother_;
  PredictionPrinter printer_;
  LiveDisplay display_;
  double window_s_;
  bool structured_;
  std::optional<WavRecorder> recorder_;
  std::chrono::steady_clock::time_point arrival_;
  Latencies latencies_;
  std::vector<std::size_t> counts_;  ///< windows by emotion
  std::size_t speech_ = 0;
  std::size_t losses_ = 0;
};

}  // namespace

void LiveOptions::visit(FieldVisitor& v) {
  v.field("live", live, "Listen to a microphone, or with - to a WAV stream on stdin");
  v.field("list_devices", list_devices, "List the microphones, then stop");
  v.group("input", input);
  v.field("smooth", smooth_s, "Even out the probabilities of --live over so many seconds; 0: not",
          Range{0, 3600});
  v.field("record", record, "WAV file to keep what --live hears");
}

void check_live(const LiveOptions& options, const OutputOptions& output, const Flags& flags,
                const std::vector<std::string>& inputs) {
  const bool from_stdin = inputs == std::vector<std::string>{"-"};
  if (!options.live) {
    flags.refuse({"device", "raw_rate", "raw_format", "smooth", "record"}, "expected --live");
    return;
  }
  flags.refuse({"every_window", "labels", "srt", "plot", "one_speaker"},
               "expected recordings, found --live");
  if (!inputs.empty() && !from_stdin)
    fail<UsageError>("--live: expected - (a stream on stdin) or nothing (a microphone), found '{}'",
                     inputs.front());
  if (from_stdin)
    flags.refuse({"device"}, "expected a microphone, found - (a stream on stdin)");
  else
    flags.refuse({"raw_rate", "raw_format"}, "expected a stream on stdin: --live -");
  if (flags.given("raw_format") && !flags.given("raw_rate"))
    fail<UsageError>("--raw-format: expected --raw-rate HZ, too");
  check_output(output);
}

void run_live(const LiveOptions& options, const OutputOptions& output,
              const std::vector<std::string>& inputs, Listener& listener) {
  catch_interrupts();
  std::unique_ptr<LiveInput> input;
  try {
    input = inputs.empty() ? open_microphone(options.input) : open_standard_input(options.input);
  } catch (const Error&) {
    if (interrupted()) return;
    throw;
  }
  Session session(options, output, listener, *input);
  warm_up(listener.predictor(), input->sample_rate_hz());
  try {
    session.run();
  } catch (const std::exception&) {  // printing throws what the formatter throws
    session.summarize();
    throw;
  }
  session.summarize();
}

}  // namespace ser
