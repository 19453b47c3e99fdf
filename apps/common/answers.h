#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "command.h"
#include "prediction_output.h"
#include "ser/model/listener.h"
#include "timeline_output.h"
#include "voice_flags.h"

namespace ser {

/// A recording to predict; an error where even finding it failed.
struct InputRecording {
  std::string name;
  std::string error;
};

/// The recordings that arguments name: files, "-" and those of folders. What cannot be read in a
/// folder is one input with an error.
std::vector<InputRecording> expand_inputs(const std::vector<std::string>& arguments);

/// Throws UsageError if a pipe or standard input is named twice.
void check_pipes(const std::vector<std::string>& names);

/// Those without an error.
std::size_t count_found(const std::vector<InputRecording>& inputs);

/// Prints what is heard in each recording; an error of one is said, and the others go on.
/// Returns the exit code.
int predict_recordings(const std::vector<InputRecording>& inputs, Listener& listener,
                       const OutputOptions& output, const CommonOptions& common);

/// As `predict_recordings`, window by window.
int predict_timelines(const std::vector<InputRecording>& inputs, Listener& listener,
                      const TimelineFlags& timeline, const VoiceFlags& voice,
                      const OutputOptions& output, const CommonOptions& common);

/// Lets the model hear other recordings of the voice, one after the other. Throws Error if one
/// cannot be read, or none holds speech.
void enroll(Predictor& predictor, const std::vector<std::string>& paths, int threads);

}  // namespace ser
