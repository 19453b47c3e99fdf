#include <algorithm>

#include "core/internal/fail.h"
#include "nn/layers/parts.h"
#include "nn/layers/window.h"
#include "nn/product.h"

namespace ser::nn {
namespace {

/// A tensor's clips with room around them for windows that reach past the ends.
struct Haloed {
  Real* data = nullptr;
  Index band = 0;   ///< numbers from one band to the next
  Index frame = 0;  ///< ... from one frame to the next
  Index clip = 0;   ///< ... from one clip to the next
};

struct Extent {
  Index before = 0;
  Index size = 0;  ///< the part before, and past the end if positive, included
};

/// `x` with zeros around each clip; `x` itself where none are needed.
Haloed add_halo(Arena& arena, const Tensor& x, Extent bands, Extent frames) {
  const Index channels = x.shape.channels, size = channels * bands.size;
  if (bands.before == 0 && frames.before == 0 && bands.size == x.shape.bands &&
      frames.size <= x.frames)
    return {x.data, channels, size, x.frames * size};
  const Haloed h{arena.take<Real>(size * frames.size * x.clips), channels, size,
                 size * frames.size};
  const Index copied = channels * std::min<Index>(x.shape.bands, bands.size - bands.before);
  const Index head = channels * bands.before, tail = size - head - copied;
  for (Index n = 0; n < x.clips; ++n) {
    const Real* from = x.data + n * x.frames * x.rows();
    Real* to = h.data + n * h.clip;
    const Index copied_frames = std::min(x.frames, frames.size - frames.before);
    to = std::fill_n(to, frames.before * size, Real{0});
    for (Index t = 0; t < copied_frames; ++t, from += x.rows()) {
      to = std::fill_n(to, head, Real{0});
      to = std::copy_n(from, copied, to);
      to = std::fill_n(to, tail, Real{0});
    }
    std::fill_n(to, (frames.size - frames.before - copied_frames) * size, Real{0});
  }
  return h;
}

/// Every `step`-th element of an axis, from `begin` on.
struct Axis {
  Index begin = 0;
  Index step = 1;
  Index count(Index length) const { return length > begin ? (length - begin - 1) / step + 1 : 0; }
};

/// Where the unpadded elements of `t` stand in it, and where the windows of each begin in `h`.
struct Positions {
  Offsets out;
  Offsets in;
};

/// The elements of `t` on the two axes. Element (band, frame) reads `h` at window (i * in_bands,
/// j * in_frames), (i, j) counting along the axes.
Positions positions(Arena& arena, const Tensor& t, Axis bands, Axis frames, const Haloed& h,
                    Index in_bands, Index in_frames) {
  const Index count_bands = bands.count(t.shape.bands);
  Index count = 0;
  for (Index n = 0; n < t.clips; ++n) count += count_bands * frames.count(t.length(n));
  Index* const out = arena.take<Index>(count);
  Index* const in = arena.take<Index>(count);
  Index next = 0;
  for (Index n = 0; n < t.clips; ++n)
    for (Index j = 0; j < frames.count(t.length(n)); ++j) {
      const Index column = n * t.frames + frames.begin + j * frames.step;
      for (Index i = 0; i < count_bands; ++i, ++next) {
        out[next] = (column * t.shape.bands + bands.begin + i * bands.step) * t.shape.channels;
        in[next] = n * h.clip + j * in_frames * h.frame + i * in_bands * h.band;
      }
    }
  return {{out, static_cast<std::size_t>(count)}, {in, static_cast<std::size_t>(count)}};
}

/// The taps of a window that meet one phase of a strided input, last first.
struct Taps {
  Index phase;
  const Window& window;
  bool holds(Index tap) const { return tap * window.dilation % window.stride == phase; }
  /// Outputs between the one that tap 0 would feed and the one that this tap feeds.
  Index lag(Index tap) const { return (tap * window.dilation - phase) / window.stride; }
};

/// What slides over a clip.
struct Kernel {
  Window bands;
  Window frames;
  int channels = 1;
  int groups = 1;
};

/// The three products of a convolution of x to y. The window of an output is a few contiguous
/// stretches of memory, so that they read their right factor in place (see nn/product.h); nothing
/// is unrolled into columns.
class Work {
 public:
  Work(const Kernel& kernel, const Pass& pass, const Node& node, const Tensor& x, const Tensor& y)
      : c_(kernel),
        arena_(*pass.arena),
        x_(x),
        y_(y),
        in_(x.shape.channels / kernel.groups),
        out_(kernel.channels / kernel.groups),
        weight_(pass.value(node.parameters[0])) {}

  void forward(const Real* bias) const {
    const Arena::Mark scratch = arena_.mark();
    const Haloed h = halo();
    const Positions at = output_positions(h);
    const Offsets window = window_offsets(h);
    const Offsets weights = evenly(arena_, weight_.cols(), weight_.rows());
    for (Index g = 0; g < c_.groups; ++g)
      multiply(pack_left(arena_, weight_.data() + g * out_, out_, 1, weights,
                         bias ? bias + g * out_ : nullptr),
               {h.data + g * in_, window, at.in}, {y_.data + g * out_, at.out});
    arena_.release(scratch);
  }

  void add_weight_gradient(AlignedMap gradient) const {
    const Arena::Mark scratch = arena_.mark();
    const Haloed h = halo();  // again, which is cheaper than to keep it
    const Positions at = output_positions(h);
    const Offsets window = window_offsets(h);
    const Offsets weights = evenly(arena_, weight_.cols(), weight_.rows());
    for (Index g = 0; g < c_.groups; ++g)
      multiply_add(arena_, y_.data + g * out_, out_, at.out, {h.data + g * in_, at.in, window},
                   {gradient.data() + g * out_, weights});
    arena_.release(scratch);
  }

  /// dL/dx from y_ = dL/dy: each input gathers from the outputs whose windows hold it. With a
  /// stride, inputs fall into phases that meet different taps.
  Tensor input_gradient() const {
    const auto before = [](const Window& w) { return (w.extent() - 1) / w.stride; };
    const auto extent = [&](const Window& w, Index inputs, Index outputs) {
      return Extent{before(w),
                    before(w) + std::max(outputs, (inputs - 1 + w.before) / w.stride + 1)};
    };
    const Haloed h = add_halo(arena_, y_, extent(c_.bands, x_.shape.bands, y_.shape.bands),
                              extent(c_.frames, x_.frames, y_.frames));
    const Tensor dx = arena_.tensor_like(x_);
    if (c_.bands.stride > c_.bands.size || c_.frames.stride > c_.frames.size ||
        c_.bands.dilation > 1 || c_.frames.dilation > 1)
      dx.array().setZero();  // some phase may meet no tap
    for (Index frame_phase = 0; frame_phase < c_.frames.stride; ++frame_phase)
      for (Index band_phase = 0; band_phase < c_.bands.stride; ++band_phase)
        gather({band_phase, c_.bands}, {frame_phase, c_.frames}, h, dx);
    dx.clear_padding();
    return dx;
  }

 private:
  Haloed halo() const {
    const auto extent = [](const Window& w, Index outputs) {
      return Extent{w.before, (outputs - 1) * w.stride + w.extent()};
    };
    return add_halo(arena_, x_, extent(c_.bands, y_.shape.bands), extent(c_.frames, y_.frames));
  }

  Positions output_positions(const Haloed& h) const {
    return positions(arena_, y_, {}, {}, h, c_.bands.stride, c_.frames.stride);
  }

  /// Where the elements of a window stand, in the order of the weight's columns.
  Offsets window_offsets(const Haloed& h) const {
    Index* const offsets = arena_.take<Index>(weight_.cols());
    Index next = 0;
    for (Index f = 0; f < c_.frames.size; ++f)
      for (Index b = 0; b < c_.bands.size; ++b)
        for (Index i = 0; i < in_; ++i)
          offsets[next++] = f * c_.frames.dilation * h.frame + b * c_.bands.dilation * h.band + i;
    return {offsets, static_cast<std::size_t>(next)};
  }

  void gather(const Taps& bands, const Taps& frames, const Haloed& h, const Tensor& dx) const {
    Index* const weights = arena_.take<Index>(weight_.cols() / in_ * out_);
    Index* const sources = arena_.take<Index>(weight_.cols() / in_ * out_);
    std::size_t depth = 0;
    for (Index f = 0; f < c_.frames.size; ++f)
      for (Index b = 0; b < c_.bands.size; ++b) {
        if (!frames.holds(f) || !bands.holds(b)) continue;
        for (Index o = 0; o < out_; ++o, ++depth) {
          weights[depth] = (f * c_.bands.size + b) * in_ * weight_.rows() + o;
          sources[depth] = o - frames.lag(f) * h.frame - bands.lag(b) * h.band;
        }
      }
    if (depth == 0) return;
    // The first element of the phase, and the output whose tap 0 reads it.
    const auto first = [](const Taps& t) {
      const Index behind = t.phase - t.window.before, stride = t.window.stride;
      return behind >= 0 ? behind : (stride - (-behind) % stride) % stride;
    };
    const Index band = first(bands), frame = first(frames);
    const Positions at =
        positions(arena_, dx, {band, c_.bands.stride}, {frame, c_.frames.stride}, h, 1, 1);
    const auto fed = [](const Taps& t, Index element) {
      return (t.window.extent() - 1) / t.window.stride +
             (element + t.window.before - t.phase) / t.window.stride;
    };
    const Real* const origin = h.data + fed(frames, frame) * h.frame + fed(bands, band) * h.band;
    for (Index g = 0; g < c_.groups; ++g)
      multiply(pack_left(arena_, weight_.data() + g * out_, in_, weight_.rows(), {weights, depth}),
               {origin + g * out_, {sources, depth}, at.in}, {dx.data + g * in_, at.out});
  }

  const Kernel& c_;
  Arena& arena_;
  const Tensor& x_;
  const Tensor& y_;
  Index in_;   ///< input channels of a group
  Index out_;  ///< output channels of a group
  ConstAlignedMap weight_;
};

enum class Axes { kFrames, kBandsAndFrames };

/// y = f(b + sum over a window of W_j x_j), windows sliding over frames (conv1d, all rows of the
/// input being channels) or over bands and frames (conv2d). The weight is [channels x frames *
/// bands * (input channels / groups)], innermost last.
class Convolution : public Layer {
 public:
  explicit Convolution(Axes axes) : axes_(axes) {
    if (axes_ == Axes::kFrames) {
      channels_ = 64;
      frames_.size = 5;
    }
  }

  std::string_view type() const override { return axes_ == Axes::kFrames ? "conv1d" : "conv2d"; }
  std::unique_ptr<Layer> clone() const override { return std::make_unique<Convolution>(*this); }

  void visit(FieldVisitor& v) override {
    v.field("channels", channels_, "Outputs of a frame, and of a band of it", Range{1, 1 << 20});
    if (axes_ == Axes::kFrames) {
      v.field("kernel", frames_.size, "Frames of a window", Range{1, 4096});
      v.field("stride", frames_.stride, "Frames from one window to the next", Range{1, 65536});
      v.field("dilation", frames_.dilation, "Frames from one element of a window to the next",
              Range{1, 4096});
    } else {
      v.field("kernel_bands", bands_.size, "Bands of a window", Range{1, 4096});
      v.field("kernel_frames", frames_.size, "Frames of a window", Range{1, 4096});
      v.field("stride_bands", bands_.stride, "Bands from one window to the next", Range{1, 65536});
      v.field("stride_frames", frames_.stride, "Frames from one window to the next",
              Range{1, 65536});
      v.field("dilation_bands", bands_.dilation, "Bands from one element of a window to the next",
              Range{1, 4096});
      v.field("dilation_frames", frames_.dilation,
              "Frames from one element of a window to the next", Range{1, 4096});
    }
    v.field("groups", groups_, "Parts of the channels that do not see each other",
            Range{1, 1 << 20});
    visit_padding(v, padding_);
    v.field("bias", bias_, "Add a constant to each output");
    visit_activation(v, activation_);
    visit_initializer(v, init_);
  }

  Shape plan(Node& node) const override {
    const Shape input = seen(node.input);
    if (channels_ % groups_ != 0 || input.channels % groups_ != 0)
      fail("'groups': expected a divisor of {} input and {} output channels, found {}",
           input.channels, channels_, groups_);
    const Kernel slides = kernel();
    // What reaches past the ends of a clip is in memory, too, in each of many layers.
    constexpr Index kMostReached = Index{1} << 20;
    if (slides.frames.extent() >
        kMostReached / (input.channels * (input.bands + slides.bands.extent())))
      fail("windows of {} frames reach too far over {} rows", slides.frames.extent(), input.rows());
    const Index window = Index{slides.bands.size} * slides.frames.size;
    node.parameters = {
        make_weight(init_, activation_, channels_, window * input.channels / groups_, window)};
    if (bias_) node.parameters.push_back({"bias", channels_, 1, Init::kZeros});
    return window_shape(slides.bands, slides.frames, input, channels_);
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Tensor x = seen(tape.input);
    const Kernel slides = kernel();
    const Shape shape = window_shape(slides.bands, slides.frames, x.shape, channels_);
    const Tensor y = window_output(*pass.arena, slides.frames, x, shape);
    const Work work(slides, pass, node, x, y);
    work.forward(bias_ ? pass.value(node.parameters[1]).data() : nullptr);
    y.clear_padding();
    finish_forward(activation_, y);
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    begin_backward(activation_, tape.output, dy);
    const Tensor x = seen(tape.input);
    const Kernel slides = kernel();
    const Work work(slides, pass, node, x, dy);
    work.add_weight_gradient(pass.gradient(node.parameters[0]));
    if (bias_) {
      const MatrixMap columns(dy.data, channels_, dy.size() / channels_);
      pass.gradient(node.parameters[1]) += columns.rowwise().sum();
    }
    if (!tape.wants_input_gradient) return {};
    Tensor dx = work.input_gradient();
    dx.shape = tape.input.shape;
    return dx;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    const Kernel slides = kernel();
    std::vector<std::string> factors = {export_weight(graph, pass.value(node.parameters[0]))};
    if (bias_)
      factors.push_back(graph.constant(pass.value(node.parameters[1]).col(0), {channels_}));
    std::vector<OnnxGraph::Attribute> attributes = export_windows(slides.bands, slides.frames);
    attributes.emplace_back("group", groups_);
    const std::string y = export_image(graph, "Conv", x, seen(node.input), factors, attributes);
    return export_activation(graph, activation_, y);
  }

 private:
  struct Slide {
    int size = 3;
    int stride = 1;
    int dilation = 1;
  };

  Kernel kernel() const {
    const auto window = [&](const Slide& s) {
      return convolution_window(s.size, s.stride, s.dilation, padding_);
    };
    return {axes_ == Axes::kFrames ? Window{} : window(bands_), window(frames_), channels_,
            groups_};
  }

  /// [channels, input channels / groups, bands, frames].
  std::string export_weight(OnnxGraph& graph, ConstAlignedMap weight) const {
    const Kernel slides = kernel();
    const Index bands = slides.bands.size, frames = slides.frames.size;
    const Index inputs = weight.cols() / (bands * frames);
    Vector values(weight.size());
    Index next = 0;
    for (Index o = 0; o < channels_; ++o)
      for (Index i = 0; i < inputs; ++i)
        for (Index b = 0; b < bands; ++b)
          for (Index f = 0; f < frames; ++f)
            values[next++] = weight(o, (f * bands + b) * inputs + i);
    return graph.constant(values, {channels_, inputs, bands, frames});
  }

  /// The input as the windows see it.
  Shape seen(const Shape& shape) const {
    if (axes_ == Axes::kBandsAndFrames) return shape;
    return {shape.rows(), 1, shape.frames};
  }
  Tensor seen(Tensor x) const {
    x.shape = seen(x.shape);
    return x;
  }

  Axes axes_;
  int channels_ = 32;
  Slide bands_;
  Slide frames_;
  int groups_ = 1;
  Padding padding_ = Padding::kSame;
  bool bias_ = true;
  Activation activation_ = Activation::kNone;
  Initializer init_ = Initializer::kAuto;
};

}  // namespace

std::unique_ptr<Layer> make_conv1d() { return std::make_unique<Convolution>(Axes::kFrames); }
std::unique_ptr<Layer> make_conv2d() {
  return std::make_unique<Convolution>(Axes::kBandsAndFrames);
}

}  // namespace ser::nn
