#include "ser/model/smoother.h"

#include <fmt/format.h>

#include <cmath>

#include "ser/core/error.h"

namespace ser {

PredictionSmoother::PredictionSmoother(double time_constant_s, double hop_s)
    : keep_(time_constant_s > 0 ? std::exp(-hop_s / time_constant_s) : 0) {
  if (!std::isfinite(time_constant_s) || time_constant_s < 0)
    throw Error(fmt::format("expected at least 0 s, found {}", time_constant_s));
}

ClipPrediction PredictionSmoother::add(const ClipPrediction& prediction) {
  if (average_.emotions.size() == 0) {
    average_ = prediction;
  } else {
    average_.emotions = keep_ * average_.emotions + (1 - keep_) * prediction.emotions;
    average_.genders = keep_ * average_.genders + (1 - keep_) * prediction.genders;
  }
  return average_;
}

}  // namespace ser
