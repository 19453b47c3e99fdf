#pragma once

#include <string>

#include "flags.h"
#include "ser/core/options.h"
#include "ser/model/model.h"

namespace ser {

struct OutputOptions {
  bool json = false;
  bool csv = false;
  int top_k = kUnsetInt;  ///< unset: all

  void visit(FieldVisitor& v);
};

struct PredictedClip {
  std::string file;  ///< as the user named it
  ClipPrediction prediction;
  bool speech = true;
};

/// Whether a recording holds anything but silence.
bool has_sound(const Waveform& wave);

/// Prints predictions on stdout one by one: a table, one JSON object a line, or CSV.
class PredictionPrinter {
 public:
  /// The model must outlive it. Throws UsageError if the options contradict each other.
  PredictionPrinter(const OutputOptions& options, const Model& model);

  void print(const PredictedClip& clip);

 private:
  void print_table(const PredictedClip& clip);
  void print_json(const PredictedClip& clip) const;
  void print_csv(const PredictedClip& clip);

  OutputOptions options_;
  const Model& model_;
  bool started_ = false;
};

}  // namespace ser
