#include "ser/nn/activation.h"

namespace ser::nn {

void visit_activation(FieldVisitor& visitor, Activation& activation) {
  visitor.choice("activation", activation,
                 {{"none", Activation::kNone},
                  {"relu", Activation::kRelu},
                  {"tanh", Activation::kTanh},
                  {"sigmoid", Activation::kSigmoid},
                  {"silu", Activation::kSilu}},
                 "Function applied to each output");
}

bool keeps_input(Activation activation) { return activation == Activation::kSilu; }

void activate(Activation activation, ConstArrayMap z, ArrayMap out) {
  if (activation == Activation::kNone && out.data() != z.data()) out = z;
  if (activation == Activation::kRelu) out = z.max(Real{0});
  if (activation == Activation::kTanh) out = z.tanh();
  if (activation == Activation::kSigmoid) out = (1 + (-z).exp()).inverse();
  if (activation == Activation::kSilu) out = z / (1 + (-z).exp());
}

void activation_backward(Activation activation, ConstArrayMap kept, ArrayMap gradient) {
  if (activation == Activation::kRelu) gradient = (kept > Real{0}).select(gradient, Real{0});
  if (activation == Activation::kTanh) gradient *= 1 - kept.square();
  if (activation == Activation::kSigmoid) gradient *= kept * (1 - kept);
  if (activation == Activation::kSilu) {
    // d(z s)/dz = s (1 + z (1 - s)), s = sigmoid(z)
    const auto s = (1 + (-kept).exp()).inverse();
    gradient *= s * (1 + kept * (1 - s));
  }
}

}  // namespace ser::nn
