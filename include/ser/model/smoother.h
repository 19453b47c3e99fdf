#pragma once

#include "ser/model/model.h"

namespace ser {

/// Evens out the predictions of windows that follow one another: an exponential average, in which a
/// window `time_constant_s` ago weighs 1/e of the present one. The first prediction after a
/// `reset()` is taken as it is.
class PredictionSmoother {
 public:
  /// hop_s: from window to window. time_constant_s 0: nothing is smoothed.
  /// Throws Error if the time constant is negative or not finite.
  PredictionSmoother(double time_constant_s, double hop_s);

  ClipPrediction add(const ClipPrediction& prediction);
  void reset() { average_ = {}; }

 private:
  double keep_;
  ClipPrediction average_;
};

}  // namespace ser
