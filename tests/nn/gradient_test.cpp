// Every layer of the registry, in every spelling of its choices and switches, against central
// finite differences in double precision. A new layer is covered without new test code.

#include <gtest/gtest.h>

#include "nn/variants.h"
#include "ser/core/error.h"
#include "ser/nn/loss.h"
#include "ser/nn/network.h"

namespace ser::nn {
namespace {

static_assert(std::is_same_v<Real, double>);

constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-6;  // relative to the larger of 1 and the gradient
constexpr Index kProbes = 40;

/// sum(R * layer(x)) for one layer alone on a fixed batch, R random.
class Problem {
 public:
  Problem(const Layer& layer, const Shape& shape, std::vector<int> lengths)
      : layer_(layer), lengths_(std::move(lengths)) {
    node_.layer = &layer_;
    node_.input = shape;
    node_.output = layer_.plan(node_);
    place(node_);
    Rng rng(7, 0);
    parameters = random(parameter_count_, rng);
    state_ = Vector::Ones(state_count_);
    input = random(shape.rows() * frames() * clips(), rng);
    input_tensor(input).clear_padding();
  }

  double loss() {
    run(parameters, input);
    return (weights_.array() * tape_.output.array()).sum();
  }

  /// dL/dparameters and dL/dinput.
  std::pair<Vector, Vector> gradients() {
    run(parameters, input);
    Vector gradient = Vector::Zero(parameter_count_);
    Pass pass = make_pass(parameters);
    pass.gradients = gradient.data();
    Tensor dy = arena_.tensor_like(tape_.output);
    dy.array() = weights_.array();
    const Tensor dx = layer_.backward(node_, pass, tape_, dy);
    return {gradient, Vector(dx.array().matrix())};
  }

  const Node& node() const { return node_; }
  Index frames() const { return node_.input.frames ? node_.input.frames : lengths_[0]; }
  Index clips() const { return static_cast<Index>(lengths_.size()); }
  bool is_padding(Index input_index) const {
    if (node_.input.frames) return false;
    const Index column = input_index / node_.input.rows();
    return column % frames() >= lengths_[static_cast<std::size_t>(column / frames())];
  }

  Vector parameters;
  Vector input;

 private:
  static Vector random(Index size, Rng& rng) {
    Vector v(size);
    for (Index i = 0; i < size; ++i) v(i) = rng.normal();
    return v;
  }

  void place(Node& node) {
    node.stream = next_stream_++;
    for (Parameter& p : node.parameters) {
      p.offset = parameter_count_;
      parameter_count_ += aligned_count(p.size());
    }
    for (Parameter& p : node.state) {
      p.offset = state_count_;
      state_count_ += aligned_count(p.size());
    }
    for (Node& child : node.children) place(child);
  }

  Tensor input_tensor(Vector& values) {
    const int* lengths = node_.input.frames ? nullptr : lengths_.data();
    return {values.data(), node_.input, frames(), clips(), lengths};
  }

  Pass make_pass(const Vector& values) {
    Pass pass;
    pass.mode = Mode::kTrain;
    pass.parameters = values.data();
    pass.state = state_.data();
    pass.state_update = update_.data();
    pass.rng = Rng(1, 2);
    pass.arena = &arena_;
    return pass;
  }

  void run(const Vector& values, Vector& x) {
    arena_.reset();
    update_ = state_;
    tape_ = make_tape(node_);
    tape_.input = input_tensor(x);
    tape_.output = layer_.forward(node_, make_pass(values), tape_);
    if (weights_.size() == 0) {
      Rng rng(9, 0);
      weights_ = random(tape_.output.size(), rng);
      Tensor w = tape_.output;
      w.data = weights_.data();
      w.clear_padding();
    }
  }

  const Layer& layer_;
  std::vector<int> lengths_;
  Node node_;
  Tape tape_;
  Arena arena_;
  Vector state_, update_, weights_;
  Index parameter_count_ = 0, state_count_ = 0;
  std::uint64_t next_stream_ = 0;
};

void check(Problem& problem, Vector& values, const Vector& analytic, bool skip_padding) {
  const Index stride = std::max<Index>(1, values.size() / kProbes);
  for (Index i = 0; i < values.size(); i += stride) {
    if (skip_padding && problem.is_padding(i)) continue;
    const double original = values(i);
    values(i) = original + kStep;
    const double above = problem.loss();
    values(i) = original - kStep;
    const double below = problem.loss();
    values(i) = original;
    const double numeric = (above - below) / (2 * kStep);
    ASSERT_NEAR(analytic(i), numeric, kTolerance * std::max(1.0, std::abs(numeric)))
        << (skip_padding ? "input" : "parameter") << " number " << i;
  }
}

class GradientTest : public testing::TestWithParam<std::string> {};

TEST_P(GradientTest, MatchesFiniteDifferences) {
  int checked = 0;
  for (const LayerVariant& variant : layer_variants(GetParam()))
    for (const Shape& shape : {Shape{6, 1, 1}, Shape{3, 1, 0}, Shape{2, 9, 0}, Shape{1, 1, 20}}) {
      SCOPED_TRACE(variant.description + " on " + to_string(shape));
      std::optional<Problem> problem;
      try {
        problem.emplace(*variant.layer, shape, std::vector<int>{17, 12, 17, 9});
      } catch (const Error&) {
        continue;  // this layer does not take this shape
      }
      ++checked;
      const auto [parameters, input] = problem->gradients();
      check(*problem, problem->parameters, parameters, false);
      check(*problem, problem->input, input, true);
    }
  EXPECT_GT(checked, 0);
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const LayerType& type : layer_types()) names.emplace_back(type.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Layers, GradientTest, testing::ValuesIn(type_names()),
                         [](const auto& test) { return test.param; });

void check_all(const Layer& layer, const Shape& shape) {
  Problem problem(layer, shape, {17, 12, 17, 9});
  const auto [parameters, input] = problem.gradients();
  check(problem, problem.parameters, parameters, false);
  check(problem, problem.input, input, true);
}

TEST(CombinedOptionsGradient, MatchesFiniteDifferences) {
  for (
      const char* json :
      {R"({"type": "conv1d", "channels": 6, "kernel": 3, "stride": 2, "dilation": 2})",
       R"({"type": "conv1d", "channels": 4, "kernel": 2, "stride": 3, "padding": "valid"})",
       R"({"type": "conv1d", "channels": 6, "kernel": 4, "stride": 2, "groups": 2})",
       R"({"type": "conv1d", "channels": 18, "kernel": 3, "groups": 18})",
       R"({"type": "conv2d", "channels": 6, "kernel_bands": 5, "kernel_frames": 4,
               "stride_bands": 2, "stride_frames": 2, "groups": 2, "activation": "relu"})",
       R"({"type": "conv2d", "channels": 3, "kernel_bands": 2, "stride_bands": 3,
               "dilation_frames": 3, "stride_frames": 2, "activation": "relu"})",
       R"({"type": "conv2d", "channels": 3, "padding": "valid", "stride_bands": 2,
               "dilation_frames": 2})",
       R"({"type": "max_pool", "bands": 3, "frames": 3, "stride_bands": 2, "stride_frames": 1})",
       R"({"type": "max_pool", "bands": 4, "frames": 3, "stride_bands": 3, "padding": "valid"})",
       R"({"type": "lstm", "units": 5, "bidirectional": true, "layers": 2, "dropout": 0.3})",
       R"({"type": "attention_pool", "hidden": 0, "statistics": "mean_std"})",
       R"({"type": "residual", "body": [{"type": "conv2d", "channels": 2}], "activation": "relu"})",
       R"({"type": "residual", "body": [{"type": "dropout"}, {"type": "batch_norm"}]})",
       R"({"type": "residual", "body": [{"type": "conv2d", "channels": 4, "stride_frames": 2}],
               "shortcut": [{"type": "max_pool", "frames": 2},
                            {"type": "conv2d", "channels": 4, "kernel_bands": 1, "kernel_frames": 1}]})"}) {
    SCOPED_TRACE(json);
    NetworkOptions options;
    from_json(R"({"layers": [)" + std::string(json) + "]}", options);
    check_all(*options.layers[0], {2, 9, 0});
  }
}

/// Three clips with two heads of four and two classes, of which the second clip's corpus has three
/// and two, and the third's two and one; some labels are missing.
struct LossProblem {
  std::vector<HeadRange> heads = {{0, 4}, {4, 2}};
  Matrix logits{6, 3}, targets{6, 3}, allowed{6, 3}, weights{2, 3};

  LossProblem() {
    Rng rng(3, 0);
    for (Index i = 0; i < logits.size(); ++i) logits.data()[i] = rng.normal();
    for (Index i = 0; i < targets.size(); ++i) targets.data()[i] = rng.normal();
    allowed << 1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0;
    weights << 1, 2, 0.7, 0.5, 0, 1;
    targets = (allowed.array() > 0).select(targets.array().exp(), 0);
    for (Index n = 0; n < 3; ++n)
      for (const HeadRange& head : heads)
        targets.col(n).segment(head.begin, head.size) /=
            targets.col(n).segment(head.begin, head.size).sum();
  }
  static Tensor tensor(Matrix& m) { return {m.data(), Shape{6, 1, 1}, 1, 3, nullptr}; }
  double loss(Matrix at, Matrix& gradient) const {
    return softmax_cross_entropy(tensor(at), heads, {targets, allowed, weights}, tensor(gradient));
  }
};

TEST(LossGradient, MatchesFiniteDifferences) {
  const LossProblem problem;
  Matrix gradient(6, 3), scratch(6, 3);
  problem.loss(problem.logits, gradient);
  for (Index i = 0; i < gradient.size(); ++i) {
    Matrix above = problem.logits, below = problem.logits;
    above.data()[i] += kStep;
    below.data()[i] -= kStep;
    EXPECT_NEAR(gradient.data()[i],
                (problem.loss(above, scratch) - problem.loss(below, scratch)) / (2 * kStep), 1e-8);
  }
}

TEST(LossGradient, ClassesOfOtherCorporaTakeNoPart) {
  const LossProblem problem;
  Matrix gradient(6, 3), moved = problem.logits, scratch(6, 3);
  const double loss = problem.loss(problem.logits, gradient);
  for (Index i = 0; i < gradient.size(); ++i)
    if (problem.allowed.data()[i] == 0) {
      EXPECT_EQ(gradient.data()[i], 0);
      moved.data()[i] = 1e6;  // whose exponential is infinite
    }
  EXPECT_EQ(problem.loss(moved, scratch), loss);
  EXPECT_EQ(scratch, gradient);
}

}  // namespace
}  // namespace ser::nn
