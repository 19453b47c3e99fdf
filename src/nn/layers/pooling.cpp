#include <algorithm>

#include "core/internal/fail.h"
#include "nn/internal/onnx_graph.h"
#include "nn/layers/parts.h"
#include "nn/layers/window.h"
#include "ser/nn/layer.h"

namespace ser::nn {
namespace {

using ColumnMap = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;

/// The part of one pooling window that lies inside its clip.
struct PoolWindow {
  Index origin = 0;  ///< of its first element in the tensor
  Index bands = 0;
  Index frames = 0;
  Index channels = 0;
  Index frame_size = 0;

  Index count() const { return bands * frames; }
  /// Calls f(offset, is_first) for each element.
  template <typename F>
  void for_each(const F& f) const {
    for (Index t = 0; t < frames; ++t)
      for (Index b = 0; b < bands; ++b) f(origin + t * frame_size + b * channels, t == 0 && b == 0);
  }
};

/// Options and geometry of pooling over windows.
struct Pooling {
  int bands = 1;
  int frames = 2;
  int stride_bands = 0;
  int stride_frames = 0;
  Padding padding = Padding::kSame;

  void visit(FieldVisitor& v) {
    v.field("bands", bands, "Bands of a window", Range{1, 65536});
    v.field("frames", frames, "Frames of a window", Range{1, 65536});
    v.field("stride_bands", stride_bands,
            "Bands from one window to the next (0: as many as it has)", Range{0, 65536});
    v.field("stride_frames", stride_frames,
            "Frames from one window to the next (0: as many as it has)", Range{0, 65536});
    visit_padding(v, padding);
  }

  Window band_window() const { return pooling_window(bands, stride_bands, padding); }
  Window frame_window() const { return pooling_window(frames, stride_frames, padding); }

  /// Throws Error for windows that lie so close that a small file would be the work of minutes.
  Shape plan(const Shape& input) const {
    constexpr Index kMostWindows = 32;
    const Window over_bands = band_window(), over_frames = frame_window();
    const auto windows = [](const Window& window, Index length) {
      return (std::min<Index>(window.size, length) + window.stride - 1) / window.stride;
    };
    const Index of_frames =
        windows(over_frames, input.frames > 0 ? input.frames : over_frames.size);
    if (windows(over_bands, input.bands) * of_frames > kMostWindows)
      fail("expected an element to be in at most {} windows: strides are too small", kMostWindows);
    return window_shape(over_bands, over_frames, input, input.channels);
  }

  Tensor output(Arena& arena, const Tensor& x) const {
    return window_output(arena, frame_window(), x, plan(x.shape));
  }

  /// Calls f(offset of the output, window) for each unpadded output of `y`, pooled from `x`.
  template <typename F>
  void for_each_window(const Tensor& x, const Tensor& y, const F& f) const {
    const Window over_bands = band_window(), over_frames = frame_window();
    const Index channels = x.shape.channels;
    for (Index n = 0; n < y.clips; ++n)
      for (Index t = 0; t < y.length(n); ++t)
        for (Index b = 0; b < y.shape.bands; ++b) {
          const auto [frame, frame_count] = inside(over_frames, t, x.length(n));
          const auto [band, band_count] = inside(over_bands, b, x.shape.bands);
          const Index column = (n * x.frames + frame) * x.shape.bands + band;
          f(((n * y.frames + t) * y.shape.bands + b) * channels,
            PoolWindow{column * channels, band_count, frame_count, channels, x.rows()});
        }
  }

 private:
  /// First element and number of elements of window `index` inside [0, length).
  static std::pair<Index, Index> inside(const Window& window, Index index, Index length) {
    const Index begin = index * window.stride - window.before;
    const Index first = std::max<Index>(0, begin);
    return {first, std::min(length, begin + window.size) - first};
  }
};

/// The largest element of each window over bands and frames, channel by channel. The gradient goes
/// to the first of equal ones.
class MaxPool : public Cloneable<MaxPool, Layer> {
 public:
  Pooling pooling;

  std::string_view type() const override { return "max_pool"; }
  void visit(FieldVisitor& v) override { pooling.visit(v); }
  Shape plan(Node& node) const override { return pooling.plan(node.input); }

  Tensor forward(const Node&, const Pass& pass, Tape& tape) const override {
    const Tensor y = pooling.output(*pass.arena, tape.input);
    pooling.for_each_window(tape.input, y, [&](Index out, const PoolWindow& window) {
      ColumnMap best(y.data + out, y.shape.channels);
      window.for_each([&](Index at, bool first) {
        const ColumnMap x(tape.input.data + at, y.shape.channels);
        if (first)
          best = x;
        else
          best = best.max(x);
      });
    });
    y.clear_padding();
    return y;
  }

  Tensor backward(const Node&, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    const Tensor dx = pass.arena->tensor_like(tape.input);
    dx.array().setZero();
    pooling.for_each_window(tape.input, dy, [&](Index out, const PoolWindow& window) {
      const Index channels = dy.shape.channels;
      const ColumnMap best(tape.output.data + out, channels);
      ColumnMap left(dy.data + out, channels);  // what no element has claimed yet
      window.for_each([&](Index at, bool) {
        const ColumnMap x(tape.input.data + at, channels);
        ColumnMap d(dx.data + at, channels);
        d += (x == best).select(left, Real{0});
        left = (x == best).select(Real{0}, left);
      });
    });
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass&,
                        const std::string& x) const override {
    return export_image(graph, "MaxPool", x, node.input, {},
                        export_windows(pooling.band_window(), pooling.frame_window()));
  }
};

}  // namespace

std::unique_ptr<Layer> make_max_pool() { return std::make_unique<MaxPool>(); }

}  // namespace ser::nn
