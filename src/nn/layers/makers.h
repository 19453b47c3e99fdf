#pragma once

#include <memory>

#include "ser/nn/layer.h"

namespace ser::nn {

// One a layer type; each is defined, with its options, in the file of its name.
std::unique_ptr<Layer> make_attention_pool();
std::unique_ptr<Layer> make_batch_norm();
std::unique_ptr<Layer> make_conv1d();
std::unique_ptr<Layer> make_conv2d();
std::unique_ptr<Layer> make_dense();
std::unique_ptr<Layer> make_dropout();
std::unique_ptr<Layer> make_flatten();
std::unique_ptr<Layer> make_lstm();
std::unique_ptr<Layer> make_max_pool();
std::unique_ptr<Layer> make_pool_time();
std::unique_ptr<Layer> make_reshape();
std::unique_ptr<Layer> make_residual();

/// The layer that ends every network: `outputs` logits without activation.
std::unique_ptr<Layer> make_output_layer(int outputs);

}  // namespace ser::nn
