#pragma once

#include "nn/internal/onnx_graph.h"
#include "ser/nn/activation.h"

namespace ser::nn {

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
