#pragma once

#include "nn/internal/onnx_graph.h"
#include "ser/core/options.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

/// What happens where a window reaches past the ends of a clip.
enum class Padding {
  kSame,  ///< windows reach past the ends: length / stride outputs, rounded up
  kValid  ///< windows stay inside: outputs only where a whole window fits
};

void visit_padding(FieldVisitor& visitor, Padding& padding);

/// A window that slides over frames, or over bands.
struct Window {
  int size = 1;
  int stride = 1;
  int dilation = 1;
  Padding padding = Padding::kSame;
  Index before = 0;  ///< of the first window, what lies before the first element

  /// From the first element that the window reads to past the last.
  Index extent() const { return Index{dilation} * (size - 1) + 1; }
  /// Of the last window, what may lie past the last element.
  Index after() const { return padding == Padding::kSame ? extent() - 1 - before : 0; }
  /// Outputs for `length` elements, which has room for at least one.
  Index outputs(Index length) const {
    return padding == Padding::kSame ? (length + stride - 1) / stride
                                     : (length - extent()) / stride + 1;
  }
};

/// A window of a convolution: kSame centres it on its element.
Window convolution_window(int size, int stride, int dilation, Padding padding);

/// A window of a pooling: kSame leaves out what lies past the ends. A stride of 0 is `size`.
Window pooling_window(int size, int stride, Padding padding);

/// Outputs for `length` frames or bands. Throws Error, naming `axis` ("frames"), if none fits.
Index checked_outputs(const Window& window, std::string_view axis, Index length);

/// The output of a window over bands and one over frames for one clip of shape `input`.
Shape window_shape(const Window& bands, const Window& frames, const Shape& input, Index channels);

/// An uninitialised tensor of `shape` for the windows over the frames of `x`, each clip with the
/// length that is left of it. Throws Error if a clip is too short.
Tensor window_output(Arena& arena, const Window& frames, const Tensor& x, const Shape& shape);

/// What windows are in a graph's node over [clips, channels, bands, frames].
std::vector<OnnxGraph::Attribute> export_windows(const Window& bands, const Window& frames);

}  // namespace ser::nn
