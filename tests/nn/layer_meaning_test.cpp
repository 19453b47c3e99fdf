// What each layer computes, against loops that spell it out. (Gradients, padding and JSON of every
// layer are tested through the registry.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/alone.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

using testing::HasSubstr;

constexpr double kTolerance = 2e-5;

TEST(Conv1d, IsTheSumOverItsWindow) {
  constexpr int kInputs = 6, kOutputs = 20, kFrames = 15;
  Alone conv(R"({"type": "conv1d", "channels": 20, "kernel": 3, "stride": 2, "dilation": 2,
                 "groups": 2})",
             {kInputs, 1, 0});
  const Matrix x = random_input(kInputs, 2 * kFrames);
  const Tensor y = conv.run(x, {kFrames, kFrames});
  ASSERT_EQ(y.frames, 8);
  for (int clip = 0; clip < 2; ++clip)
    for (int t = 0; t < 8; ++t)
      for (int out = 0; out < kOutputs; ++out) {
        const int group = out / 10;
        double sum = conv.parameter(1)(out, 0);
        for (int tap = 0; tap < 3; ++tap)
          for (int in = 0; in < 3; ++in) {
            const int frame = 2 * t + 2 * tap - 2;
            if (frame >= 0 && frame < kFrames)
              sum +=
                  conv.parameter(0)(out, tap * 3 + in) * x(group * 3 + in, clip * kFrames + frame);
          }
        EXPECT_NEAR(y.clip(clip)(out, t), sum, kTolerance);
      }
}

TEST(Conv2d, IsTheSumOverItsWindow) {
  constexpr int kInputs = 2, kBands = 7, kFrames = 9, kOutputs = 5;
  Alone conv(R"({"type": "conv2d", "channels": 5, "kernel_bands": 3, "kernel_frames": 2,
                 "stride_bands": 2, "stride_frames": 3, "padding": "valid"})",
             {kInputs, kBands, 0});
  const Matrix x = random_input(kInputs * kBands, kFrames);
  const Tensor y = conv.run(x, {kFrames});
  ASSERT_EQ(to_string(y.shape), "[5 x 3 x T]");
  ASSERT_EQ(y.frames, 3);
  for (int t = 0; t < 3; ++t)
    for (int band = 0; band < 3; ++band)
      for (int out = 0; out < kOutputs; ++out) {
        double sum = conv.parameter(1)(out, 0);
        for (int f = 0; f < 2; ++f)
          for (int b = 0; b < 3; ++b)
            for (int in = 0; in < kInputs; ++in)
              sum += conv.parameter(0)(out, (f * 3 + b) * kInputs + in) *
                     x((2 * band + b) * kInputs + in, 3 * t + f);
        EXPECT_NEAR(y.clip(0)(band * kOutputs + out, t), sum, kTolerance);
      }
}

std::string message_of(const auto& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Conv1d, ClipShorterThanTheWindowIsRefused) {
  Alone conv(R"({"type": "conv1d", "kernel": 5, "dilation": 2, "padding": "valid"})", {3, 1, 0});
  EXPECT_THAT(message_of([&] {
                conv.run(random_input(3, 24), {12, 8});
              }),
              HasSubstr("expected at least 9 frames for one window, found 8"));
}

TEST(Layers, OptionsOutOfRangeAreRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"type": "conv1d", "groups": 2})",
       "expected a divisor of 3 input and 64 output channels"},
      {R"({"type": "conv1d", "channels": 0})",
       "layers[0].channels': expected an integer in [1, 1048576], found 0"},
      {R"({"type": "conv1d", "stride": 0})", "stride': expected an integer in [1, 65536], found 0"},
      {R"({"type": "max_pool", "frames": 0})", "frames': expected an integer in [1, 65536]"},
      {R"({"type": "max_pool", "frames": 40, "stride_frames": 1})",
       "expected an element to be in at most 32 windows"},
      {R"({"type": "max_pool", "frames": 65536, "stride_frames": 1, "padding": "same"})",
       "expected an element to be in at most 32 windows"},
      {R"({"type": "lstm", "units": 0})", "units': expected an integer in [1, 65536], found 0"},
      {R"({"type": "lstm", "layers": 0})", "layers': expected an integer in [1, 64], found 0"},
      {R"({"type": "lstm", "dropout": 1})", "dropout': expected a number in [0, 1), found 1"},
      {R"({"type": "conv1d", "kernel": 4096, "dilation": 4096})",
       "windows of 16773121 frames reach too far over 3 rows"},
      {R"({"type": "flatten"})", "expected a fixed number of frames, found [3 x T]"},
      {R"({"type": "reshape"})", "expected one vector a clip, found [3 x T]"},
      {R"({"type": "attention_pool", "hidden": -1})",
       "hidden': expected an integer in [0, 65536], found -1"},
      {R"({"type": "residual", "body": [{"type": "dense", "units": 4}]})",
       "body and shortcut of one shape, found [4 x T] and [3 x T]"}};
  for (const auto& [json, message] : cases)
    EXPECT_THAT(message_of([&, layer = json] { Alone(layer, {3, 1, 0}); }), HasSubstr(message));
}

TEST(Residual, WaysOfDifferentLengthAreRefused) {
  Alone residual(
      R"({"type": "residual", "body": [{"type": "conv1d", "channels": 3, "stride": 2}]})",
      {3, 1, 0});
  EXPECT_THAT(message_of([&] { residual.run(random_input(3, 12), {12}); }),
              HasSubstr("the body leaves 6 frames of 12, the shortcut 12"));
}

TEST(Residual, AddsItsInput) {
  Alone residual(R"({"type": "residual", "body": [], "activation": "relu"})", {3, 1, 0});
  const Matrix x = random_input(3, 5);
  EXPECT_TRUE(residual.run(x, {5}).matrix().isApprox((2 * x).cwiseMax(Real{0})));
}

TEST(MaxPool, PicksTheLargestAndLeavesPaddingOut) {
  Alone pool(R"({"type": "max_pool", "bands": 2, "frames": 2})", {1, 2, 0});
  Matrix x(2, 4);
  x << -1, -5, -4, 7,  //
      -2, -3, -6, 7;
  const Tensor y = pool.run(x, {3});  // the last frame is padding
  ASSERT_EQ(y.length(0), 2);
  EXPECT_FLOAT_EQ(y.matrix()(0, 0), -1);
  EXPECT_FLOAT_EQ(y.matrix()(0, 1), -4);
}

TEST(AttentionPool, EqualScoresGiveMeanAndDeviation) {
  Alone pool(R"({"type": "attention_pool", "statistics": "mean_std"})", {3, 1, 0});
  pool.parameters.setZero();
  const Matrix x = random_input(3, 6);
  const Matrix y = pool.run(x, {4}).matrix();
  const Matrix valid = x.leftCols(4);
  const Vector mean = valid.rowwise().mean();
  const Vector variance = (valid.colwise() - mean).array().square().rowwise().mean();
  EXPECT_TRUE(y.topRows(3).isApprox(mean, Real(1e-5)));
  EXPECT_TRUE(y.bottomRows(3).isApprox(variance.cwiseSqrt(), Real(1e-4)));
}

TEST(AttentionPool, WeightsSumToOne) {
  Alone pool(R"({"type": "attention_pool"})", {3, 1, 0});
  Matrix x = random_input(3, 6);
  x.row(1).setConstant(2.5);  // whatever the weights, their mean is this
  EXPECT_NEAR(pool.run(x, {5}).matrix()(1, 0), 2.5, kTolerance);
}

TEST(AttentionPool, AHighScorePicksItsFrame) {
  Alone pool(R"({"type": "attention_pool", "hidden": 0})", {2, 1, 0});
  pool.parameter(0) << 100, 0;
  Matrix x(2, 3);
  x << 0, 1, 0.5,  //
      4, 5, 6;
  EXPECT_NEAR(pool.run(x, {3}).matrix()(1, 0), 5, kTolerance);
}

TEST(BatchNorm, CountsUnpaddedFramesAlone) {
  Alone norm(R"({"type": "batch_norm"})", {2, 3, 0});
  norm.parameter(0).setOnes();
  norm.parameter(1).setZero();
  const Matrix x = random_input(6, 2 * 300) * 3 + Matrix::Constant(6, 600, 50);
  const Tensor y = norm.run(x, {300, 120}, Mode::kTrain);
  for (int channel = 0; channel < 2; ++channel) {
    double sum = 0, squares = 0;
    const auto each = [&](const auto& f) {
      for (int clip = 0; clip < 2; ++clip)
        for (Index t = 0; t < y.length(clip); ++t)
          for (int band = 0; band < 3; ++band) f(y.clip(clip)(2 * band + channel, t));
    };
    each([&](double value) { sum += value; });
    each([&](double value) { squares += value * value; });
    EXPECT_NEAR(sum / (3 * 420), 0, 1e-4);
    EXPECT_NEAR(squares / (3 * 420), 1, 1e-4);
  }
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

/// One clip through an LSTM, step by step, in double.
Eigen::MatrixXd naive_lstm(Alone& layer, const Eigen::MatrixXd& x) {
  const Eigen::MatrixXd w = layer.parameter(0).cast<double>(),
                        u = layer.parameter(1).cast<double>(),
                        b = layer.parameter(2).cast<double>();
  const Index units = u.cols();
  Eigen::VectorXd h = Eigen::VectorXd::Zero(units), c = h;
  Eigen::MatrixXd y(units, x.cols());
  for (Index t = 0; t < x.cols(); ++t) {
    const Eigen::VectorXd z = w * x.col(t) + u * h + b;
    for (Index i = 0; i < units; ++i) {
      c(i) = sigmoid(z(units + i)) * c(i) + sigmoid(z(i)) * std::tanh(z(3 * units + i));
      h(i) = sigmoid(z(2 * units + i)) * std::tanh(c(i));
    }
    y.col(t) = h;
  }
  return y;
}

TEST(Lstm, FollowsItsEquationsStepByStep) {
  const Matrix x = random_input(4, 3 * 11);
  const std::vector<int> lengths = {7, 11, 1};
  Alone lstm(R"({"type": "lstm", "units": 19})", {4, 1, 0});
  const Matrix y = lstm.run(x, lengths).matrix();
  for (Index clip = 0; clip < 3; ++clip) {
    const Index length = lengths[static_cast<std::size_t>(clip)];
    const Eigen::MatrixXd own = x.middleCols(clip * 11, length).cast<double>();
    const Eigen::MatrixXd found = y.middleCols(clip * 11, length).cast<double>();
    EXPECT_LT((found - naive_lstm(lstm, own)).cwiseAbs().maxCoeff(), kTolerance);
  }
}

TEST(Lstm, BackwardHalfIsTheForwardOneOnTheReversedClip) {
  Alone both(R"({"type": "lstm", "units": 5, "bidirectional": true})", {4, 1, 0});
  Alone forward(R"({"type": "lstm", "units": 5})", {4, 1, 0});
  for (std::size_t i = 0; i < 3; ++i) forward.parameter(i) = both.parameter(3 + i);
  const Matrix x = random_input(4, 9), reversed = x.leftCols(6).rowwise().reverse();
  const Matrix y = both.run(x, {6}).matrix(), expected = forward.run(reversed, {6}).matrix();
  EXPECT_LT((y.block(5, 0, 5, 6) - expected.rowwise().reverse()).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(Lstm, ForgetGatesStartOpen) {
  NetworkOptions options;
  from_json(R"({"layers": [{"type": "lstm", "units": 4}, {"type": "attention_pool"}]})", options);
  Network network(options, {3, 1, 0}, 2);
  network.initialize(Rng(1, 0));
  const Parameter bias = network.named_parameters()[2];
  ASSERT_EQ(bias.name, "0.forward.0.bias");
  Vector expected = Vector::Zero(16);
  expected.segment(4, 4).setOnes();
  EXPECT_EQ(network.parameters().segment(bias.offset, 16), expected);
}

}  // namespace
}  // namespace ser::nn
