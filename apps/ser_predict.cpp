#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "common/command.h"
#include "common/default_model.h"
#include "common/live.h"
#include "common/notices.h"
#include "common/outputs.h"
#include "common/prediction_output.h"
#include "common/progress.h"
#include "common/timeline_output.h"
#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/audio_files.h"
#include "ser/model/model.h"
#include "ser/model/timeline.h"

namespace {

constexpr const char* kExamples =
    "  ser-predict clip.wav\n"
    "  ser-predict --model model.json --json recordings/ > predictions.jsonl\n"
    "  ser-predict --enroll recordings-of-anna/ anna.wav\n"
    "  ser-predict --window 3 --hop 1 interview.mp3 --labels interview.txt\n"
    "  ser-predict interview.mp3 --plot interview.svg\n"
    "  sox talk.flac -t wav - | ser-predict -\n"
    "  ser-predict --live\n"
    "  arecord -f S16_LE -r 16000 | ser-predict --live - --json\n";

struct Options {
  std::vector<std::string> inputs;
  std::string model;
  std::string enroll;
  ser::OutputOptions output;
  ser::LiveOptions live;
  ser::TimelineFlags timeline;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Model file, or the name of a shipped one (default: default)");
    v.field("enroll", enroll, "Other recordings of the voice, which the model hears first");
    v.group("output", output);
    v.group("timeline", timeline);
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

int predict_timelines(const std::vector<Input>& inputs, const ser::Predictor& predictor,
                      const Options& options, const ser::CommonOptions& common) {
  const auto recordings = std::ranges::count(inputs, std::string(), &Input::error);
  ser::check_timeline(options.timeline, static_cast<std::size_t>(recordings));
  ser::TimelinePrinter printer(options.timeline, options.output, predictor.model());
  bool failed = recordings == 0;
  for (const Input& input : inputs) {
    if (!input.error.empty()) {
      spdlog::error("{}", input.error);
      continue;
    }
    try {
      ser::AudioReader reader = open(input.name);
      ser::predict_timeline(input.name, reader, predictor, options.timeline, common, printer);
      ser::warn_of_notices(input.name, reader.notices());
      if (options.timeline.plot.empty()) continue;
      reader.restart();
      ser::plot_timeline(input.name, reader, printer.timeline(), predictor.model(),
                         options.timeline.plot);
    } catch (const ser::Error& error) {
      spdlog::error("{}", error.what());
      failed = true;
    }
  }
  if (!failed) printer.finish();
  return failed || recordings < std::ssize(inputs) ? 1 : 0;
}

/// Lets the model hear other recordings of the voice.
void enroll(ser::Predictor& predictor, const std::string& folder) {
  for (const Input& input : expand({folder})) {
    if (!input.error.empty()) {
      spdlog::warn("{}", input.error);
      continue;
    }
    ser::with_context(input.name,
                      [&] { predictor.hear(ser::read_audio(input.name)); });
  }
  const double clips = predictor.voice().clips();
  if (clips == 0) throw ser::Error(folder + ": expected recordings of the voice, found none");
  ser::Voice voice = predictor.voice();
  voice.set_enrolled();
  predictor.set_voice(std::move(voice));
  spdlog::info("{}: {} recordings of the voice heard", folder, clips);
}

ser::Predictor load_predictor(const Options& options) {
  const std::filesystem::path model = ser::find_model(options.model);
  spdlog::debug("model: {}", model.string());
  ser::Predictor predictor(ser::read_model(model));
  if (options.enroll.empty()) return predictor;
  if (!predictor.model().listens())
    throw ser::UsageError(fmt::format("--enroll: {} does not listen to voices", model.string()));
  enroll(predictor, options.enroll);
  return predictor;
}

int predict(const Options& options, const ser::CommonOptions& common) {
  if (options.inputs.empty()) throw ser::UsageError("expected INPUT, --live or --list-devices");
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") > 1)
    throw ser::UsageError("expected - (standard input) once, found it twice");
  const ser::Predictor predictor = load_predictor(options);
  std::vector<Input> inputs = expand(options.inputs);
  if (options.timeline.wanted()) return predict_timelines(inputs, predictor, options, common);
  ser::PredictionPrinter printer(options.output, predictor.model());
  std::vector<ser::PredictedClip> slots(ser::pipeline_slots(common.threads));
  std::vector<std::vector<std::string>> notices(slots.size());
  // A long recording uses the threads that recordings side by side do not.
  const int inner_threads = inputs.size() > 1 ? 1 : common.threads;
  bool failed = false;
  const auto produce = [&](std::size_t i, std::size_t slot) {
    ser::PredictedClip& clip = slots[slot];
    clip = {.file = inputs[i].name};
    notices[slot].clear();
    if (!inputs[i].error.empty()) return;
    try {
      ser::AudioReader reader = open(inputs[i].name);
      const ser::RecordingPrediction found =
          ser::predict_recording(reader, predictor, inner_threads);
      clip.prediction = found.prediction;
      clip.speech = found.speech;
      clip.windows = found.windows;
      notices[slot] = reader.notices();
    } catch (const ser::Error& error) {
      inputs[i].error = error.what();
    }
  };
  // Answers that appear on the terminal tell how far it is, too.
  ser::Progress progress("predicting", "recordings", inputs.size(),
                         common.quiet || ::isatty(STDOUT_FILENO) == 1);
  const auto consume = [&](std::size_t i, std::size_t slot) {
    progress.advance(1);
    if (inputs[i].error.empty()) {
      const ser::PredictedClip& clip = slots[slot];
      ser::warn_of_notices(clip.file, notices[slot]);
      if (clip.speech && ser::is_unlike_training(clip.prediction))
        spdlog::warn(
            "{}: unlike the recordings the model was trained on, the answer may be worth "
            "little",
            clip.file);
      printer.print(clip);
    } else {
      failed = true;
      spdlog::error("{}", inputs[i].error);
    }
  };
  ser::parallel_pipeline(inputs.size(), common.threads, produce, consume);
  return failed ? 1 : 0;
}

/// Looks at all that a run will write.
void check_files(const Options& options) {
  std::vector<std::string> files = options.inputs;
  files.push_back(options.model);
  ser::check_outputs({{"--labels", options.timeline.labels, ser::OutputKind::kText},
                      {"--srt", options.timeline.srt, ser::OutputKind::kText},
                      {"--plot", options.timeline.plot, ser::OutputKind::kPicture},
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
  if (!live.live) return predict(options, common);
  ser::run_live(live, options.output, options.inputs, load_predictor(options));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-predict", "Tells emotion and gender of recordings.", kExamples);
  command.positional("INPUT", options.inputs, "Audio files, folders, or - for one file on stdin",
                     ser::Presence::kOptional);
  command.flags().show_as("enroll", "FOLDER");
  for (const char* field : {"model", "record", "labels", "srt", "plot"})
    command.flags().show_as(field, "FILE");
  command.flags().show_as("device", "DEVICE");
  command.flags().add(options, "Prediction");
  command.flags().add(options.live, "Live");
  return command.run(argc, argv, [&] { return run(options, command.flags(), command.common()); });
}
