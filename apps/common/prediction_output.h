#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flags.h"
#include "ser/core/options.h"
#include "ser/model/model.h"
#include "ser/model/timeline.h"

namespace ser {

struct OutputOptions {
  bool json = false;
  bool csv = false;
  int top_k = kUnsetInt;  ///< unset: all

  void visit(FieldVisitor& v);
};

struct TimeSpan {
  double start_s = 0;
  double end_s = 0;
};

struct PredictedClip {
  std::string file;  ///< as the user named it
  ClipPrediction prediction = {};
  bool speech = true;
  std::optional<TimeSpan> span = {};  ///< nothing: the whole recording
  std::optional<Sound> sound = {};    ///< of a timeline
  std::size_t windows = 0;            ///< that the answer is the mean of; 0: of the whole
  double heard_s = 0;                 ///< of the voice, before
};

/// Classes by falling probability, the most likely `count` of them (0: all).
std::vector<std::size_t> ranking(const Eigen::VectorXd& probabilities, int count);

/// Throws UsageError if the options contradict each other.
void check_output(const OutputOptions& options);

std::string_view to_string(Sound sound);

/// "happy (uncertain), female voice (98 %)", or "no speech".
std::string headline(const Model& model, const PredictedClip& clip);

/// ", 12.3 s of the voice heard", or nothing.
std::string heard_of_voice(const PredictedClip& clip);

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
