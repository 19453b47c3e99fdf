#include "answers.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "command.h"
#include "progress.h"
#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/audio_files.h"
#include "talk.h"

namespace ser {
namespace {

/// Every recording in a folder; what cannot be read there is one input with an error.
std::vector<InputRecording> recordings_in(const std::string& folder) {
  const FolderContents contents = list_folder(folder);
  if (contents.audio.empty())
    fail("{}: expected a folder with recordings, found {}", folder, describe_other(contents));
  std::vector<InputRecording> inputs;
  for (const std::string& file : contents.audio)
    inputs.push_back({(std::filesystem::path(folder) / file).string(), ""});
  if (const std::vector<std::string> lost = describe_lost(contents); !lost.empty())
    inputs.push_back({folder, fmt::format("{}: left out: {}", folder, join(lost, "; "))});
  return inputs;
}

std::string shown(const std::string& name) { return name == "-" ? "standard input" : name; }

AudioReader open(const std::string& name) {
  return name == "-" ? AudioReader(STDIN_FILENO, shown(name)) : AudioReader(name);
}

/// What a recording is told, or why it is not.
struct Answer {
  PredictedClip clip;
  std::vector<std::string> notices;
  std::string error;
};

Answer answer(const InputRecording& input, Listener& listener, int threads) {
  Answer answer{{.file = input.name}, {}, input.error};
  if (!input.error.empty()) return answer;
  try {
    AudioReader reader = open(input.name);
    const RecordingPrediction found = predict_recording(reader, listener, threads);
    answer.clip.prediction = found.prediction;
    answer.clip.speech = found.speech;
    answer.clip.windows = found.windows;
    answer.clip.heard_s = found.heard_s;
    answer.notices = reader.notices();
  } catch (const Error& error) {
    answer.error = error.what();
    if (const std::string name = shown(input.name); !answer.error.starts_with(name))
      answer.error = name + ": " + answer.error;
  }
  return answer;
}

/// Prints answers as they come; false if one is an error.
class AnswerPrinter {
 public:
  AnswerPrinter(const OutputOptions& output, const Model& model, std::size_t count, bool quiet)
      : printer_(output, model),
        // Answers that appear on the terminal tell how far it is, too.
        progress_("predicting", "recordings", count, quiet || ::isatty(STDOUT_FILENO) == 1) {}

  void print(const Answer& answer) {
    progress_.advance(1);
    failed_ = failed_ || !answer.error.empty();
    if (!answer.error.empty()) return talk::error("{}", answer.error);
    const PredictedClip& clip = answer.clip;
    talk::warn_of(answer.notices, clip.file);
    printer_.print(clip);
  }
  bool failed() const { return failed_; }

 private:
  PredictionPrinter printer_;
  Progress progress_;
  bool failed_ = false;
};

}  // namespace

void check_pipes(const std::vector<std::string>& names) {
  std::set<std::pair<dev_t, ino_t>> pipes;
  for (const std::string& name : names) {
    struct stat status {};
    const bool standard = name == "-";
    if ((standard ? ::fstat(STDIN_FILENO, &status) : ::stat(name.c_str(), &status)) != 0) continue;
    if (!standard && !S_ISFIFO(status.st_mode)) continue;
    if (!pipes.emplace(status.st_dev, status.st_ino).second)
      fail<UsageError>("expected {} once, found it twice: what was read is gone",
                       standard ? "- (standard input)" : name);
  }
}

std::vector<InputRecording> expand_inputs(const std::vector<std::string>& arguments) {
  std::vector<InputRecording> inputs;
  for (const std::string& argument : arguments) {
    std::error_code ignored;  // told when the file is opened
    if (argument == "-" || !std::filesystem::is_directory(argument, ignored)) {
      inputs.push_back({argument, ""});
      continue;
    }
    try {
      for (InputRecording& input : recordings_in(argument)) inputs.push_back(std::move(input));
    } catch (const Error& error) {
      inputs.push_back({argument, error.what()});
    }
  }
  return inputs;
}

std::size_t count_found(const std::vector<InputRecording>& inputs) {
  return static_cast<std::size_t>(
      std::ranges::count(inputs, std::string(), &InputRecording::error));
}

int predict_recordings(const std::vector<InputRecording>& inputs, Listener& listener,
                       const OutputOptions& output, const CommonOptions& common) {
  AnswerPrinter printer(output, listener.predictor().model(), inputs.size(), common.quiet);
  if (listener.adapts()) {
    for (const InputRecording& input : inputs)
      printer.print(answer(input, listener, common.threads));
    return printer.failed() ? 1 : 0;
  }
  std::vector<Answer> slots(pipeline_slots(common.threads));
  // A long recording uses the threads that recordings side by side do not.
  const int inner_threads = inputs.size() > 1 ? 1 : common.threads;
  parallel_pipeline(
      inputs.size(), common.threads,
      [&](std::size_t i, std::size_t slot) {
        Listener own(listener.predictor(), Adapting::kToNobody);
        slots[slot] = answer(inputs[i], own, inner_threads);
      },
      [&](std::size_t, std::size_t slot) { printer.print(slots[slot]); });
  return printer.failed() ? 1 : 0;
}

int predict_timelines(const std::vector<InputRecording>& inputs, Listener& listener,
                      const TimelineFlags& timeline, const VoiceFlags& voice,
                      const OutputOptions& output, const CommonOptions& common) {
  const Predictor& predictor = listener.predictor();
  const Adapting adapts = adapting(voice, Answers::kOverTime);
  const std::size_t recordings = count_found(inputs);
  TimelinePrinter printer(timeline, output, predictor.model());
  bool failed = recordings == 0;
  for (const InputRecording& input : inputs) {
    if (!input.error.empty()) {
      talk::error("{}", input.error);
      continue;
    }
    try {
      AudioReader reader = open(input.name);
      Listener own(predictor, adapts);
      predict_timeline(input.name, reader, adapts == Adapting::kToOneVoice ? listener : own,
                       timeline, common, printer);
      talk::warn_of(reader.notices(), input.name);
      if (timeline.plot.empty()) continue;
      reader.restart();
      plot_timeline(input.name, reader, printer.timeline(), predictor.model(), timeline.plot);
    } catch (const Error& error) {
      if (std::ferror(stdout) != 0) throw;  // no fault of the recording
      talk::error("{}", error.what());
      failed = true;
    }
    listener.end_recording();
  }
  if (!failed) printer.finish();
  return failed || recordings < inputs.size() ? 1 : 0;
}

void enroll(Predictor& predictor, const std::vector<std::string>& paths, int threads) {
  if (paths.empty()) return;
  const double before_s = predictor.voice().duration_s();
  Listener listener(predictor, Adapting::kToOneVoice);
  std::size_t recordings = 0;
  std::vector<std::string> unread;
  for (const InputRecording& input : expand_inputs(paths)) {
    try {
      if (!input.error.empty()) throw Error(input.error);
      AudioReader reader = open(input.name);
      hear_recording(reader, listener, threads);
      talk::warn_of(reader.notices(), input.name);
      ++recordings;
    } catch (const Error& error) {
      unread.emplace_back(error.what());
    }
  }
  if (recordings == 0 && !unread.empty()) throw Error(unread.front());
  for (const std::string& why : unread) talk::warn("--enroll: left out: {}", why);
  Voice voice = listener.voice();
  const double heard_s = voice.duration_s() - before_s;
  if (heard_s == 0) fail("--enroll: expected speech in {}, found none", paths.front());
  voice.set_enrolled();
  predictor.set_voice(std::move(voice));
  talk::info("{} recording{} of the voice heard, {:.1f} s of speech", recordings,
             recordings == 1 ? "" : "s", heard_s);
}

}  // namespace ser
