#include "nn/layers/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "ser/core/error.h"

namespace ser::nn {
namespace {

void expect_from(int low, std::string_view axis, std::string_view what, int found) {
  if (found < low)
    throw Error(fmt::format("{} over {}: expected at least {}, found {}", what, axis, low, found));
}

}  // namespace

void visit_padding(FieldVisitor& visitor, Padding& padding) {
  visitor.choice("padding", padding, {{"same", Padding::kSame}, {"valid", Padding::kValid}},
                 "Windows reach past the ends, or stay inside");
}

Window convolution_window(std::string_view axis, int size, int stride, int dilation,
                          Padding padding) {
  expect_from(1, axis, "kernel", size);
  expect_from(1, axis, "stride", stride);
  expect_from(1, axis, "dilation", dilation);
  Window window{size, stride, dilation, padding, 0};
  if (padding == Padding::kSame) window.before = (window.extent() - 1) / 2;
  return window;
}

Window pooling_window(std::string_view axis, int size, int stride, Padding padding) {
  expect_from(1, axis, "pool size", size);
  expect_from(0, axis, "stride", stride);
  Window window{size, stride > 0 ? stride : size, 1, padding, 0};
  if (padding == Padding::kSame) window.before = std::max(0, size - window.stride) / 2;
  return window;
}

Index checked_outputs(const Window& window, std::string_view axis, Index length) {
  if (window.padding == Padding::kValid && length < window.extent())
    throw Error(fmt::format("expected at least {} {} for one window, found {}", window.extent(),
                            axis, length));
  return window.outputs(length);
}

Shape window_shape(const Window& bands, const Window& frames, const Shape& input, int channels) {
  const Index out_frames = input.frames == 0 ? 0 : checked_outputs(frames, "frames", input.frames);
  return {channels, static_cast<int>(checked_outputs(bands, "bands", input.bands)),
          static_cast<int>(out_frames)};
}

Tensor window_output(Arena& arena, const Window& frames, const Tensor& x, const Shape& shape) {
  const Index padded = checked_outputs(frames, "frames", x.frames);
  if (!x.lengths) return arena.tensor(shape, padded, x.clips, nullptr);
  int* const lengths = arena.take<int>(x.clips);
  for (Index n = 0; n < x.clips; ++n)
    lengths[n] = static_cast<int>(checked_outputs(frames, "frames", x.length(n)));
  return arena.tensor(shape, padded, x.clips, lengths);
}

}  // namespace ser::nn
