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
  switch (activation) {
    case Activation::kNone:
      if (out.data() != z.data()) out = z;
      break;
    case Activation::kRelu:
      out = z.max(Real{0});
      break;
    case Activation::kTanh:
      out = z.tanh();
      break;
    case Activation::kSigmoid:
      out = (1 + (-z).exp()).inverse();
      break;
    case Activation::kSilu:
      out = z / (1 + (-z).exp());
      break;
  }
}

void activation_backward(Activation activation, ConstArrayMap kept, ArrayMap gradient) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      gradient = (kept > Real{0}).select(gradient, Real{0});
      break;
    case Activation::kTanh:
      gradient *= 1 - kept.square();
      break;
    case Activation::kSigmoid:
      gradient *= kept * (1 - kept);
      break;
    case Activation::kSilu: {
      // d(z s)/dz = s (1 + z (1 - s)), s = sigmoid(z)
      const auto s = (1 + (-kept).exp()).inverse();
      gradient *= s * (1 + kept * (1 - s));
      break;
    }
  }
}

}  // namespace ser::nn
