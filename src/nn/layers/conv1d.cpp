#include "nn/layers/convolution.h"
#include "nn/layers/makers.h"

namespace ser::nn {
namespace {

/// Convolution over frames: y_t = f(b + sum_j W_j x_(t * stride + j * dilation)). All rows of the
/// input are channels.
class Conv1d : public Cloneable<Conv1d, Layer> {
 public:
  int channels = 64;
  int kernel = 5;
  int stride = 1;
  int dilation = 1;
  int groups = 1;
  Padding padding = Padding::kSame;
  bool bias = true;
  Activation activation = Activation::kNone;
  WeightStart init = WeightStart::kAuto;

  std::string_view type() const override { return "conv1d"; }
  void visit(FieldVisitor& v) override {
    v.field("channels", channels, "Outputs of a frame");
    v.field("kernel", kernel, "Frames of a window");
    v.field("stride", stride, "Frames from one window to the next");
    v.field("dilation", dilation, "Frames from one element of a window to the next");
    v.field("groups", groups, "Parts of the channels that do not see each other");
    visit_padding(v, padding);
    v.field("bias", bias, "Add a constant to each output");
    visit_activation(v, activation);
    visit_weight_start(v, init);
  }

  Shape plan(Node& node) const override {
    return convolution().plan(node, all_channels(node.input));
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    return convolution().forward(node, pass, tape, all_channels(tape.input));
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    Tensor dx = convolution().backward(node, pass, tape, all_channels(tape.input), gradient);
    dx.shape = tape.input.shape;
    return dx;
  }

 private:
  Convolution convolution() const {
    return {Window{}, convolution_window("frames", kernel, stride, dilation, padding),
            channels, groups,
            bias,     activation,
            init};
  }
  static Shape all_channels(const Shape& shape) {
    return {static_cast<int>(shape.rows()), 1, shape.frames};
  }
  static Tensor all_channels(Tensor x) {
    x.shape = all_channels(x.shape);
    return x;
  }
};

}  // namespace

std::unique_ptr<Layer> make_conv1d() { return std::make_unique<Conv1d>(); }

}  // namespace ser::nn
