#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <span>

#include "common/command.h"
#include "common/default_model.h"
#include "common/prediction_output.h"
#include "ser/audio/audio_file.h"
#include "ser/core/parallel.h"
#include "ser/corpus/corpus.h"
#include "ser/model/model.h"

namespace {

constexpr const char* kExamples =
    "  ser-predict clip.wav\n"
    "  ser-predict --model model.json --json recordings/ > predictions.jsonl\n"
    "  sox talk.flac -t wav - | ser-predict -\n";

struct Options {
  std::vector<std::string> inputs;
  std::string model;
  ser::OutputOptions output;

  void visit(ser::FieldVisitor& v) {
    v.field("model", model, "Model file, or the name of a shipped one (default: default)");
    v.group("output", output);
  }
};

/// A recording to predict; an error where even finding it failed.
struct Input {
  std::string name;
  std::string error;
};

std::vector<Input> expand(const std::vector<std::string>& arguments) {
  std::vector<Input> inputs;
  for (const std::string& argument : arguments) {
    if (argument == "-" || !std::filesystem::is_directory(argument)) {
      inputs.push_back({argument, ""});
      continue;
    }
    try {
      for (const ser::Utterance& found : ser::scan_corpus(argument).utterances)
        inputs.push_back({(std::filesystem::path(argument) / found.path).string(), ""});
    } catch (const ser::Error& error) {
      inputs.push_back({argument, error.what()});
    }
  }
  return inputs;
}

ser::Waveform read(const std::string& name) {
  if (name != "-") return ser::read_audio(name);
  const std::string bytes(std::istreambuf_iterator<char>(std::cin), {});
  return ser::read_audio(std::as_bytes(std::span(bytes)), "standard input");
}

int predict(const Options& options, const ser::CommonOptions& common) {
  if (std::count(options.inputs.begin(), options.inputs.end(), "-") > 1)
    throw ser::UsageError("expected - (standard input) once, found it twice");
  const std::filesystem::path model = ser::find_model(options.model);
  spdlog::debug("model: {}", model.string());
  const ser::Predictor predictor(ser::read_model(model));
  ser::PredictionPrinter printer(options.output, predictor.model());
  std::vector<Input> inputs = expand(options.inputs);
  std::vector<ser::PredictedClip> slots(ser::pipeline_slots(common.threads));
  bool failed = false;
  const auto produce = [&](std::size_t i, std::size_t slot) {
    ser::PredictedClip& clip = slots[slot];
    clip = {inputs[i].name, {}, true};
    if (!inputs[i].error.empty()) return;
    try {
      const ser::Waveform wave = read(inputs[i].name);
      clip.prediction = predictor.predict(wave);
      clip.speech = ser::has_sound(wave);
    } catch (const ser::Error& error) {
      inputs[i].error = error.what();
    }
  };
  const auto consume = [&](std::size_t i, std::size_t slot) {
    if (inputs[i].error.empty()) {
      printer.print(slots[slot]);
    } else {
      failed = true;
      spdlog::error("{}", inputs[i].error);
    }
  };
  ser::parallel_pipeline(inputs.size(), common.threads, produce, consume);
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-predict", "Tells emotion and gender of recordings.", kExamples);
  command.positional("INPUT", options.inputs, "Audio files, folders, or - for one file on stdin",
                     ser::Presence::kRequired);
  command.flags().add(options, "Prediction");
  return command.run(argc, argv, [&] { return predict(options, command.common()); });
}
