#include "nn/layers/convolution.h"
#include "nn/layers/makers.h"

namespace ser::nn {
namespace {

/// Convolution over bands and frames, as conv1d's over frames.
class Conv2d : public Cloneable<Conv2d, Layer> {
 public:
  int channels = 32;
  int kernel_bands = 3;
  int kernel_frames = 3;
  int stride_bands = 1;
  int stride_frames = 1;
  int dilation_bands = 1;
  int dilation_frames = 1;
  int groups = 1;
  Padding padding = Padding::kSame;
  bool bias = true;
  Activation activation = Activation::kNone;
  WeightStart init = WeightStart::kAuto;

  std::string_view type() const override { return "conv2d"; }
  void visit(FieldVisitor& v) override {
    v.field("channels", channels, "Outputs of a band of a frame");
    v.field("kernel_bands", kernel_bands, "Bands of a window");
    v.field("kernel_frames", kernel_frames, "Frames of a window");
    v.field("stride_bands", stride_bands, "Bands from one window to the next");
    v.field("stride_frames", stride_frames, "Frames from one window to the next");
    v.field("dilation_bands", dilation_bands, "Bands from one element of a window to the next");
    v.field("dilation_frames", dilation_frames, "Frames from one element of a window to the next");
    v.field("groups", groups, "Parts of the channels that do not see each other");
    visit_padding(v, padding);
    v.field("bias", bias, "Add a constant to each output");
    visit_activation(v, activation);
    visit_weight_start(v, init);
  }

  Shape plan(Node& node) const override { return convolution().plan(node, node.input); }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    return convolution().forward(node, pass, tape, tape.input);
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    return convolution().backward(node, pass, tape, tape.input, gradient);
  }

 private:
  Convolution convolution() const {
    return {convolution_window("bands", kernel_bands, stride_bands, dilation_bands, padding),
            convolution_window("frames", kernel_frames, stride_frames, dilation_frames, padding),
            channels,
            groups,
            bias,
            activation,
            init};
  }
};

}  // namespace

std::unique_ptr<Layer> make_conv2d() { return std::make_unique<Conv2d>(); }

}  // namespace ser::nn
