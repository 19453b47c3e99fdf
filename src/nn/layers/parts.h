#pragma once

#include <memory>

#include "nn/internal/onnx_graph.h"
#include "ser/core/options.h"
#include "ser/core/rng.h"
#include "ser/nn/layer.h"
#include "ser/nn/tensor.h"

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
std::unique_ptr<Layer> make_reshape();
std::unique_ptr<Layer> make_residual();

/// The layer that ends every network: `outputs` logits without activation.
std::unique_ptr<Layer> make_output_layer(int outputs);

/// The function that ends a layer, element by element. relu: max(0, z).
enum class Activation { kNone, kRelu };

void visit_activation(FieldVisitor& visitor, Activation& activation);

/// What draws the first weights of dense and convolutional layers.
enum class Initializer {
  kAuto,   ///< kHe before relu; otherwise Init::kGlorot with `rows` as fan_out
  kHe,     ///< Init::kHe
  kGlorot  ///< Init::kGlorot, fan_out counting every output that an input reaches, as Keras does
};

void visit_initializer(FieldVisitor& visitor, Initializer& initializer);

/// A weight [rows x cols] in front of `activation`; each row stands in `window` places of a window.
Parameter make_weight(Initializer initializer, Activation activation, Index rows, Index cols,
                      Index window = 1);

/// The activation that ends a layer: y = f(y) in place, padding cleared.
void finish_forward(Activation activation, const Tensor& y);

/// The way back through it, in place: `gradient` with respect to f(y) becomes that of y.
void begin_backward(Activation activation, const Tensor& output, const Tensor& gradient);

/// Fills `mask` with zeros, with probability `rate`, and 1 / (1 - rate).
void draw_dropout(Rng rng, double rate, const Tensor& mask);

// What layers have in common as nodes of a graph. Each returns its output; x and it are [clips,
// frames, rows].

/// weight x of every frame x.
std::string export_product(OnnxGraph& graph, ConstAlignedMap weight, const std::string& x);

std::string export_activation(OnnxGraph& graph, Activation activation, const std::string& x);

/// A node that works on [clips, channels, bands, frames].
/// factors: its inputs beside x, of shape `input`.
std::string export_image(OnnxGraph& graph, std::string_view op, const std::string& x,
                         const Shape& input, const std::vector<std::string>& factors,
                         const std::vector<OnnxGraph::Attribute>& attributes);

}  // namespace ser::nn
