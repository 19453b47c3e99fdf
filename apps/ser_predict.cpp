#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "common/command.h"
#include "common/default_model.h"
#include "common/live.h"
#include "common/outputs.h"
#include "common/prediction_output.h"
#include "common/progress.h"
#include "common/talk.h"
#include "common/timeline_output.h"
#include "common/voice_flags.h"
#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/audio_files.h"
#include "ser/model/listener.h"
#include "ser/model/timeline.h"

namespace {

constexpr const char* kExamples =
    "  ser-predict clip.wav\n"
    "  ser-predict --model model.json --json recordings/ > predictions.jsonl\n"
    "  ser-predict --enroll recordings-of-anna/ --remember anna.json anna.wav\n"
    "  ser-predict --one-speaker --json diary/ > diary.jsonl\n"
    "  ser-predict --window 3 --hop 1 interview.mp3 --labels interview.txt\n"
    "  ser-predict interview.mp3 --plot interview.svg\n"
    "  sox talk.flac -t wav - | ser-predict -\n"
    "  ser-predict --live\n"
    "  arecord -f S16_LE -r 16000 | ser-predict --live - --json\n";

struct Options {
  std::vector<std::string> inputs;
  std::string model;
  ser::OutputOptions output;
  ser::LiveOptions live;
  ser::TimelineFlags timeline;
  ser::VoiceFlags voice;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Model file, or the name of a shipped one (default: default)");
    v.group("output", output);
    v.group("timeline", timeline);
  }
  ser::Answers answers() const {
    return live.live || timeline.wanted() ? ser::Answers::kOverTime : ser::Answers::kOfRecordings;
  }
};

/// A recording to predict; an error where even finding it failed.
struct Input {
  std::string name;
  std::string error;
};

/// Every recording in a folder; what cannot be read there is one input with an error.
std::vector<Input> recordings_in(const std::string& folder) {
  const ser::FolderContents contents = ser::list_folder(folder);
  if (contents.audio.empty())
    throw ser::Error(fmt::format("{}: expected a folder with recordings, found {}", folder,
                                 ser::describe_other(contents)));
  std::vector<Input> inputs;
  for (const std::string& file : contents.audio)
    inputs.push_back({(std::filesystem::path(folder) / file).string(), ""});
  if (const std::vector<std::string> lost = ser::describe_lost(contents); !lost.empty())
    inputs.push_back({folder, fmt::format("{}: left out: {}", folder, ser::join(lost, "; "))});
  return inputs;
}

std::vector<Input> expand(const std::vector<std::string>& arguments) {
  std::vector<Input> inputs;
  for (const std::string& argument : arguments) {
    if (argument == "-" || !std::filesystem::is_directory(argument)) {
      inputs.push_back({argument, ""});
      continue;
    }
    try {
      for (Input& input : recordings_in(argument)) inputs.push_back(std::move(input));
    } catch (const ser::Error& error) {
      inputs.push_back({argument, error.what()});
    }
  }
  return inputs;
}

constexpr std::string_view kStandardInput = "standard input";

ser::AudioReader open(const std::string& name) {
  return name == "-" ? ser::AudioReader(STDIN_FILENO, kStandardInput) : ser::AudioReader(name);
}

std::size_t count_found(const std::vector<Input>& inputs) {
  return static_cast<std::size_t>(std::ranges::count(inputs, std::string(), &Input::error));
}

int predict_timelines(const std::vector<Input>& inputs, ser::Listener& listener,
                      const Options& options, const ser::CommonOptions& common) {
  const ser::Predictor& predictor = listener.predictor();
  const bool alike = ser::adapting(options.voice, options.answers()) == ser::Adapting::kToOneVoice;
  const std::size_t recordings = count_found(inputs);
  ser::TimelinePrinter printer(options.timeline, options.output, predictor.model());
  bool failed = recordings == 0;
  for (const Input& input : inputs) {
    if (!input.error.empty()) {
      ser::talk::error("{}", input.error);
      continue;
    }
    try {
      ser::AudioReader reader = open(input.name);
      ser::Listener own(predictor, ser::adapting(options.voice, options.answers()));
      ser::predict_timeline(input.name, reader, alike ? listener : own, options.timeline, common,
                            printer);
      ser::talk::warn_of(reader.notices(), input.name);
      if (options.timeline.plot.empty()) continue;
      reader.restart();
      ser::plot_timeline(input.name, reader, printer.timeline(), predictor.model(),
                         options.timeline.plot);
    } catch (const ser::Error& error) {
      ser::talk::error("{}", error.what());
      failed = true;
    }
    listener.end_recording();
  }
  if (!failed) printer.finish();
  return failed || recordings < inputs.size() ? 1 : 0;
}

/// Lets the model hear other recordings of the voice, one after the other.
void enroll(ser::Predictor& predictor, const std::vector<std::string>& paths, int threads) {
  if (paths.empty()) return;
  const double before_s = predictor.voice().duration_s();
  ser::Listener listener(predictor, ser::Adapting::kToOneVoice);
  std::size_t recordings = 0;
  for (const Input& input : expand(paths)) {
    if (!input.error.empty()) throw ser::Error(input.error);
    ser::AudioReader reader = open(input.name);
    ser::hear_recording(reader, listener, threads);
    ser::talk::warn_of(reader.notices(), input.name);
    ++recordings;
  }
  ser::Voice voice = listener.voice();
  const double heard_s = voice.duration_s() - before_s;
  if (heard_s == 0)
    throw ser::Error(fmt::format("--enroll: expected speech in {}, found none", paths.front()));
  voice.set_enrolled();
  predictor.set_voice(std::move(voice));
  ser::talk::info("{} recordings of the voice heard, {:.1f} s of speech", recordings, heard_s);
}

ser::Predictor load_predictor(const Options& options) {
  const std::filesystem::path model = ser::find_model(options.model);
  ser::talk::debug("model: {}", model.string());
  ser::Predictor predictor(ser::read_model(model));
  ser::check_listens(options.voice, predictor.model(), model.string());
  return predictor;
}

/// What a recording is told, or why it is not.
struct Answer {
  ser::PredictedClip clip;
  std::vector<std::string> notices;
  std::string error;
};

Answer answer(const Input& input, ser::Listener& listener, int threads) {
  Answer answer{{.file = input.name}, {}, input.error};
  if (!input.error.empty()) return answer;
  try {
    ser::AudioReader reader = open(input.name);
    const ser::RecordingPrediction found = ser::predict_recording(reader, listener, threads);
    answer.clip.prediction = found.prediction;
    answer.clip.speech = found.speech;
    answer.clip.windows = found.windows;
    answer.clip.heard_s = found.heard_s;
    answer.notices = reader.notices();
  } catch (const ser::Error& error) {
    answer.error = error.what();
  }
  return answer;
}

/// Prints answers as they come; false if one is an error.
class AnswerPrinter {
 public:
  AnswerPrinter(const Options& options, const ser::Model& model, std::size_t count, bool quiet)
      : printer_(options.output, model),
        // Answers that appear on the terminal tell how far it is, too.
        progress_("predicting", "recordings", count, quiet || ::isatty(STDOUT_FILENO) == 1) {}

  void print(const Answer& answer) {
    progress_.advance(1);
    failed_ = failed_ || !answer.error.empty();
    if (!answer.error.empty()) return ser::talk::error("{}", answer.error);
    const ser::PredictedClip& clip = answer.clip;
    ser::talk::warn_of(answer.notices, clip.file);
    printer_.print(clip);
  }
  bool failed() const { return failed_; }

 private:
  ser::PredictionPrinter printer_;
  ser::Progress progress_;
  bool failed_ = false;
};

int predict_recordings(const std::vector<Input>& inputs, ser::Listener& listener,
                       const Options& options, const ser::CommonOptions& common) {
  AnswerPrinter printer(options, listener.predictor().model(), inputs.size(), common.quiet);
  if (listener.adapts()) {
    for (const Input& input : inputs) printer.print(answer(input, listener, common.threads));
    return printer.failed() ? 1 : 0;
  }
  std::vector<Answer> slots(ser::pipeline_slots(common.threads));
  // A long recording uses the threads that recordings side by side do not.
  const int inner_threads = inputs.size() > 1 ? 1 : common.threads;
  ser::parallel_pipeline(
      inputs.size(), common.threads,
      [&](std::size_t i, std::size_t slot) {
        ser::Listener own(listener.predictor(), ser::Adapting::kToNobody);
        slots[slot] = answer(inputs[i], own, inner_threads);
      },
      [&](std::size_t, std::size_t slot) { printer.print(slots[slot]); });
  return printer.failed() ? 1 : 0;
}

void check_inputs(const Options& options) {
  if (!options.voice.enroll.empty() && !options.voice.remember.empty()) return;  // makes a voice
  if (options.inputs.empty()) throw ser::UsageError("expected INPUT, --live or --list-devices");
}

void check_standard_input(const Options& options) {
  const std::vector<std::string>& enrolled = options.voice.enroll;
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") +
          std::count(enrolled.begin(), enrolled.end(), "-") >
      1)
    throw ser::UsageError("expected - (standard input) once, found it twice");
}

int predict(const Options& options, const ser::LiveOptions& live,
            const ser::CommonOptions& common) {
  check_standard_input(options);
  if (!live.live) check_inputs(options);
  ser::check_voice(options.voice, options.answers());
  ser::Predictor predictor = load_predictor(options);
  ser::RememberedVoice remembered(options.voice, predictor);
  const std::vector<Input> inputs = live.live ? std::vector<Input>{} : expand(options.inputs);
  if (!live.live && options.timeline.wanted())
    ser::check_timeline(options.timeline, count_found(inputs));
  ser::check_output(options.output);
  enroll(predictor, options.voice.enroll, common.threads);
  ser::Listener listener(predictor, ser::adapting(options.voice, options.answers()));
  int exit_code = 0;
  if (live.live) {
    try {
      ser::run_live(live, options.output, options.inputs, listener);
    } catch (const ser::Error&) {
      remembered.keep(listener.voice());
      throw;
    }
  } else if (options.timeline.wanted()) {
    exit_code = predict_timelines(inputs, listener, options, common);
  } else {
    exit_code = predict_recordings(inputs, listener, options, common);
  }
  remembered.keep(listener.voice());
  return exit_code;
}

/// Looks at all that a run will write.
void check_files(const Options& options) {
  std::vector<std::string> files = options.inputs;
  files.push_back(options.model);
  files.insert(files.end(), options.voice.enroll.begin(), options.voice.enroll.end());
  ser::check_outputs({{"--labels", options.timeline.labels, ser::OutputKind::kLabels},
                      {"--srt", options.timeline.srt, ser::OutputKind::kSubtitles},
                      {"--plot", options.timeline.plot, ser::OutputKind::kPicture},
                      {"--remember", options.voice.remember, ser::OutputKind::kVoice},
                      {"--record", options.live.record, ser::OutputKind::kRecording}},
                     files);
}

int run(const Options& options, const ser::Flags& flags, const ser::CommonOptions& common) {
  check_files(options);
  ser::LiveOptions live = options.live;
  if (flags.given("window")) live.window_s = options.timeline.window_s;
  if (flags.given("hop")) live.hop_s = options.timeline.hop_s;
  ser::check_live(live, options.output, flags, options.inputs);
  if (live.list_devices) {
    ser::print_devices();
    return 0;
  }
  return predict(options, live, common);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-predict", "Tells emotion and gender of recordings.", kExamples);
  command.positional("INPUT", options.inputs, "Audio files, folders, or - for one file on stdin",
                     ser::Presence::kOptional);
  command.flags().show_as("enroll", "PATH");
  for (const char* field : {"model", "remember", "record", "labels", "srt", "plot"})
    command.flags().show_as(field, "FILE");
  command.flags().show_as("device", "DEVICE");
  command.flags().add(options, "Prediction");
  command.flags().add(options.voice, "Voice");
  command.flags().add(options.live, "Live");
  return command.run(argc, argv, [&] { return run(options, command.flags(), command.common()); });
}
