#include "nn/layers/weight_start.h"

namespace ser::nn {

void visit_weight_start(FieldVisitor& visitor, WeightStart& start) {
  visitor.choice(
      "init", start,
      {{"auto", WeightStart::kAuto}, {"he", WeightStart::kHe}, {"glorot", WeightStart::kGlorot}},
      "Random numbers that the weights start from; auto: by the activation");
}

Parameter make_weight(WeightStart start, Activation activation, Index rows, Index cols,
                      Index window) {
  const bool rectified = activation == Activation::kRelu || activation == Activation::kSilu;
  const bool he = start == WeightStart::kHe || (start == WeightStart::kAuto && rectified);
  Parameter weight{"weight", rows, cols, he ? Init::kHe : Init::kGlorot, true};
  if (start == WeightStart::kGlorot) weight.fan_out = rows * window;
  return weight;
}

}  // namespace ser::nn
