#include "nn/layers/final_activation.h"

namespace ser::nn {

void finish_forward(Activation activation, const Pass& pass, const Tensor& y, void*& kept) {
  if (keeps_input(activation)) {
    const Tensor z = pass.arena->tensor_like(y);
    z.array() = y.array();
    kept = z.data;
  }
  activate(activation, ConstArrayMap(y.data, y.size()), y.array());
  y.clear_padding();
}

void begin_backward(Activation activation, const void* kept, const Tensor& output,
                    const Tensor& gradient) {
  const Real* const from = keeps_input(activation) ? static_cast<const Real*>(kept) : output.data;
  activation_backward(activation, ConstArrayMap(from, gradient.size()), gradient.array());
}

}  // namespace ser::nn
