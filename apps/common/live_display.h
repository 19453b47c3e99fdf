#pragma once

#include <cstddef>

#include "prediction_output.h"

namespace ser {

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

}  // namespace ser
