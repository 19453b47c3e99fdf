
#include <filesystem>

#include "common/answers.h"
#include "common/command.h"
#include "common/installation.h"
#include "common/live.h"
#include "common/outputs.h"
#include "common/standard_output.h"
#include "common/talk.h"
#include "common/timeline_output.h"
#include "common/voice_flags.h"

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

ser::Predictor load_predictor(const Options& options) {
  const std::filesystem::path model = ser::find_model(options.model);
  ser::talk::debug("model: {}", model.string());
  ser::Predictor predictor(ser::read_model(model));
  ser::check_listens(options.voice, predictor.model(), model.string());
  return predictor;
}

void check_inputs(const Options& options) {
  if (!options.voice.enroll.empty() && !options.voice.remember.empty()) return;  // makes a voice
  if (options.inputs.empty()) throw ser::UsageError("expected INPUT, --live or --list-devices");
}

int predict(const Options& options, const ser::LiveOptions& live,
            const ser::CommonOptions& common) {
  std::vector<std::string> read = options.inputs;
  read.insert(read.end(), options.voice.enroll.begin(), options.voice.enroll.end());
  ser::check_pipes(read);
  if (!live.live) check_inputs(options);
  ser::check_voice(options.voice);
  ser::Predictor predictor = load_predictor(options);
  ser::RememberedVoice remembered(options.voice, predictor);
  const std::vector<ser::InputRecording> inputs =
      live.live ? std::vector<ser::InputRecording>{} : ser::expand_inputs(options.inputs);
  if (!live.live && options.timeline.wanted())
    ser::check_timeline(options.timeline, ser::count_found(inputs));
  ser::check_output(options.output);
  ser::enroll(predictor, options.voice.enroll, common.threads);
  ser::Listener listener(predictor, ser::adapting(options.voice, options.answers()));
  int exit_code = 0;
  const auto answer = [&] {
    if (live.live) {
      try {
        ser::run_live(live, options.output, options.inputs, listener);
      } catch (const ser::Error&) {
        remembered.keep(listener.voice());
        throw;
      }
    } else if (options.timeline.wanted()) {
      exit_code = ser::predict_timelines(inputs, listener, options.timeline, options.voice,
                                         options.output, common);
    } else {
      exit_code = ser::predict_recordings(inputs, listener, options.output, common);
    }
  };
  ser::print_then_write(answer, [&] { remembered.keep(listener.voice()); });
  return exit_code;
}

void check_files(const Options& options) {
  std::vector<std::string> files = options.inputs;
  files.push_back(options.model);
  files.insert(files.end(), options.voice.enroll.begin(), options.voice.enroll.end());
  if (!options.live.record.empty())  // it may take the place of one that was heard
    for (const ser::InputRecording& input : ser::expand_inputs(options.voice.enroll))
      files.push_back(input.name);
  ser::check_outputs({{"--labels", options.timeline.labels, ser::FileKind::kLabels},
                      {"--srt", options.timeline.srt, ser::FileKind::kSubtitles},
                      {"--plot", options.timeline.plot, ser::FileKind::kPicture},
                      {"--remember", options.voice.remember, ser::FileKind::kVoice},
                      {"--record", options.live.record, ser::FileKind::kRecording}},
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
  command.positional("INPUT", options.inputs, "Audio files, folders, or - for one file on stdin");
  command.alternatives({"json", "csv"});
  command.flags().show_as("PATH", {"enroll"});
  command.flags().show_as("DEVICE", {"device"});
  command.flags().show_as("FILE", {"model", "remember", "record", "labels", "srt", "plot"});
  command.flags().add(options, "Prediction");
  command.flags().add(options.voice, "Voice");
  command.flags().add(options.live, "Live");
  return command.run(argc, argv, [&] { return run(options, command.flags(), command.common()); });
}
