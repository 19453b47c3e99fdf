#include "nn/layers/initializer.h"

namespace ser::nn {

void visit_initializer(FieldVisitor& visitor, Initializer& initializer) {
  visitor.choice(
      "init", initializer,
      {{"auto", Initializer::kAuto}, {"he", Initializer::kHe}, {"glorot", Initializer::kGlorot}},
      "What draws the first weights; auto: he before relu and silu, else glorot");
}

Parameter make_weight(Initializer initializer, Activation activation, Index rows, Index cols,
                      Index window) {
  const bool rectified = activation == Activation::kRelu || activation == Activation::kSilu;
  const bool he =
      initializer == Initializer::kHe || (initializer == Initializer::kAuto && rectified);
  Parameter weight{"weight", rows, cols, he ? Init::kHe : Init::kGlorot, true};
  if (initializer == Initializer::kGlorot) weight.fan_out = rows * window;
  return weight;
}

}  // namespace ser::nn
