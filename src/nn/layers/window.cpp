#include "nn/layers/window.h"

#include <algorithm>

#include "core/internal/fail.h"

namespace ser::nn {
void visit_padding(FieldVisitor& visitor, Padding& padding) {
  visitor.choice("padding", padding, {{"same", Padding::kSame}, {"valid", Padding::kValid}},
                 "Windows reach past the ends, or stay inside");
}

Window convolution_window(int size, int stride, int dilation, Padding padding) {
  Window window{size, stride, dilation, padding, 0};
  if (padding == Padding::kSame) window.before = (window.extent() - 1) / 2;
  return window;
}

Window pooling_window(int size, int stride, Padding padding) {
  Window window{size, stride > 0 ? stride : size, 1, padding, 0};
  if (padding == Padding::kSame) window.before = std::max(0, size - window.stride) / 2;
  return window;
}

Index checked_outputs(const Window& window, std::string_view axis, Index length) {
  if (window.padding == Padding::kValid && length < window.extent())
    fail("expected at least {} {} for one window, found {}", window.extent(), axis, length);
  return window.outputs(length);
}

Shape window_shape(const Window& bands, const Window& frames, const Shape& input, Index channels) {
  const Index out_frames = input.frames == 0 ? 0 : checked_outputs(frames, "frames", input.frames);
  return {channels, checked_outputs(bands, "bands", input.bands), out_frames};
}

Tensor window_output(Arena& arena, const Window& frames, const Tensor& x, const Shape& shape) {
  const Index padded = checked_outputs(frames, "frames", x.frames);
  if (!x.lengths) return arena.tensor(shape, padded, x.clips, nullptr);
  int* const lengths = arena.take<int>(x.clips);
  for (Index n = 0; n < x.clips; ++n) lengths[n] = checked_outputs(frames, "frames", x.length(n));
  return arena.tensor(shape, padded, x.clips, lengths);
}

std::vector<OnnxGraph::Attribute> export_windows(const Window& bands, const Window& frames) {
  using Sizes = OnnxGraph::Sizes;
  return {{"kernel_shape", Sizes{bands.size, frames.size}},
          {"strides", Sizes{bands.stride, frames.stride}},
          {"dilations", Sizes{bands.dilation, frames.dilation}},
          {"pads", Sizes{bands.before, frames.before, bands.after(), frames.after()}}};
}

}  // namespace ser::nn
