#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "live_input.h"
#include "prediction_output.h"
#include "ser/model/listener.h"

namespace ser {

struct LiveOptions {
  bool live = false;
  bool list_devices = false;
  LiveInputOptions input;
  double window_s = 3;  ///< the flags --window and --hop are those of the timeline
  double hop_s = 0.5;
  double smooth_s = 1;
  std::string record;

  void visit(FieldVisitor& v);
};

/// Throws UsageError for flags and words that do not go together, and for numbers out of bounds.
void check_live(const LiveOptions& options, const OutputOptions& output, const Flags& flags,
                const std::vector<std::string>& inputs);

/// Predicts window after window of what a microphone (or stdin, where `inputs` says -) hears, until
/// its end or Ctrl-C, and hears those with speech; then tells on stderr how it was.
void run_live(const LiveOptions& options, const OutputOptions& output,
              const std::vector<std::string>& inputs, Listener& listener);

}  // namespace ser
