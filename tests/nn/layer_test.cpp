#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "nn/variants.h"
#include "ser/core/error.h"
#include "ser/nn/network.h"
#include "support/errors.h"

namespace ser::nn {
namespace {

using testing::HasSubstr;

/// A network of one layer (and a mean over time where it leaves frames).
NetworkOptions options_with(const Layer& layer) {
  NetworkOptions options;
  options.layers.emplace_back(layer.clone());
  return options;
}

Tensor fill(Arena& arena, const Shape& shape, Index frames, const std::vector<int>& lengths) {
  const Index clips = static_cast<Index>(lengths.size());
  int* stored = arena.take<int>(clips);
  std::copy(lengths.begin(), lengths.end(), stored);
  const Tensor x = arena.tensor(shape, frames, clips, stored);
  for (Index n = 0; n < clips; ++n) {
    Rng rng(11, static_cast<std::uint64_t>(n));
    auto clip = x.clip(n);
    for (Index i = 0; i < clip.size(); ++i) clip.data()[i] = static_cast<Real>(rng.normal());
  }
  x.clear_padding();
  return x;
}

class LayerTest : public testing::TestWithParam<std::string> {};

/// Runs one layer alone in inference on a batch whose first clip has `lengths[0]` frames and
/// returns that clip's output without padding.
Matrix first_clip_output(const Layer& layer, const Shape& shape, Index frames,
                         const std::vector<int>& lengths) {
  Node node;
  node.layer = &layer;
  node.input = shape;
  node.output = layer.plan(node);
  Index count = 0, state_count = 0;
  const auto place = [&](const auto& self, Node& n) -> void {
    for (Parameter& p : n.parameters)
      p.offset = std::exchange(count, count + aligned_count(p.size()));
    for (Parameter& p : n.state)
      p.offset = std::exchange(state_count, state_count + aligned_count(p.size()));
    for (Node& child : n.children) self(self, child);
  };
  place(place, node);
  Vector parameters(count), state = Vector::Ones(state_count);
  Rng rng(5, 0);
  for (Index i = 0; i < count; ++i) parameters(i) = static_cast<Real>(0.3 * rng.normal());
  Arena arena;
  Pass pass;
  pass.parameters = parameters.data();
  pass.state = state.data();
  pass.arena = &arena;
  Tape tape = make_tape(node);
  tape.input = fill(arena, shape, frames, lengths);
  const Tensor y = layer.forward(node, pass, tape);
  for (Index n = 0; n < y.clips; ++n)
    EXPECT_TRUE(y.clip(n).rightCols(y.frames - y.length(n)).isZero(0)) << "padding is not zero";
  return y.clip(0).leftCols(y.length(0));
}

TEST_P(LayerTest, PaddingAndCompanyChangeNothing) {
  for (const LayerVariant& variant : layer_variants(GetParam()))
    for (const Shape& shape : {Shape{3, 1, 0}, Shape{2, 9, 0}}) {
      SCOPED_TRACE(variant.description + " on " + to_string(shape));
      Matrix alone;
      try {
        alone = first_clip_output(*variant.layer, shape, 19, {19});
      } catch (const Error&) {
        continue;
      }
      const Matrix padded = first_clip_output(*variant.layer, shape, 40, {19});
      const Matrix in_batch = first_clip_output(*variant.layer, shape, 40, {19, 40, 25});
      ASSERT_EQ(alone.cols(), padded.cols());
      EXPECT_LT((alone - padded).cwiseAbs().maxCoeff(), 1e-5);
      EXPECT_LT((alone - in_batch).cwiseAbs().maxCoeff(), 1e-5);
    }
}

TEST_P(LayerTest, OptionsSurviveJson) {
  for (const LayerVariant& variant : layer_variants(GetParam())) {
    const NetworkOptions options = options_with(*variant.layer);
    NetworkOptions copy;
    from_json(to_json(options), copy);
    EXPECT_EQ(to_json(copy), to_json(options));
  }
}

/// Sets every whole number to the largest that its field allows.
class MakeLarge : public MakeSmall {
 public:
  using MakeSmall::field;
  void field(std::string_view, int& value, std::string_view, const Range& range) override {
    value = static_cast<int>(range.high);
  }
};

TEST_P(LayerTest, PlansThatMultiplyUpAreCheckedOrRefused) {
  constexpr Index kMost = Index{1} << 30;
  for (LayerVariant& variant : layer_variants(GetParam()))
    for (const bool large : {false, true})
      for (const Shape& shape : {Shape{kMost, 1, kMost}, Shape{1, kMost, kMost}, Shape{1, kMost, 0},
                                 Shape{1 << 15, 1 << 15, 1}, Shape{1, 1, kMost}}) {
        SCOPED_TRACE(variant.description + " on " + to_string(shape));
        MakeLarge make_large;
        if (large) variant.layer->visit(make_large);
        Node node;
        node.layer = &*variant.layer;
        node.input = shape;
        try {
          const Shape output = checked_plan(node);
          EXPECT_GE(std::min({output.channels, output.bands, output.frames + 1}), 1);
          EXPECT_LE(std::max(output.rows(), output.frames), kMost);
          for (const Parameter& p : node.parameters) EXPECT_GE(std::min(p.rows, p.cols), 1);
        } catch (const Error&) {
        }
      }
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const LayerType& type : layer_types()) names.emplace_back(type.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Layers, LayerTest, testing::ValuesIn(type_names()),
                         [](const auto& test) { return test.param; });

TEST(Layer, UnknownTypeNamesTheNearest) {
  try {
    make_layer("densse");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'dense'"));
  }
}

NetworkOptions parse(std::string_view json) {
  NetworkOptions options;
  from_json(json, options);
  return options;
}

TEST(Network, SizesThatMultiplyUpAreRefused) {
  // 60,000 frames of 50,000 channels: more than 2^31 numbers, made of 110,000 weights.
  EXPECT_ERROR(Network(parse(R"({"layers": [{"type": "dense", "units": 60000},
                                            {"type": "reshape", "to": "sequence"},
                                            {"type": "conv1d", "channels": 50000, "kernel": 1},
                                            {"type": "flatten"}]})"),
                       {1, 1, 1}, 8),
               HasSubstr("layer 3 (flatten): expected at most 1073741824 rows and frames"));
  EXPECT_ERROR(Network(parse(R"({"layers": [{"type": "conv1d", "channels": 500000, "kernel": 1},
                                            {"type": "attention_pool"}]})"),
                       {1, 1, 0}, 8),
               HasSubstr("more than 262144 numbers a frame"));
  EXPECT_ERROR(Network(parse(R"({"layers": [{"type": "dense", "units": 60000},
                                            {"type": "reshape", "to": "sequence"},
                                            {"type": "conv1d", "channels": 500, "kernel": 1},
                                            {"type": "attention_pool"}]})"),
                       {1, 1, 1}, 8),
               HasSubstr("more than 16777216 numbers a clip"));
}

TEST(Network, WindowsThatMultiplyUpAreRefused) {
  EXPECT_ERROR(Network(parse(R"({"layers": [{"type": "reshape", "to": "bands"},
                                            {"type": "max_pool", "bands": 60, "stride_bands": 1,
                                             "frames": 1},
                                            {"type": "flatten"}]})"),
                       {1000, 1, 1}, 8),
               HasSubstr("an element to be in at most 32 windows"));
}

TEST(Network, CountsParametersWithoutGaps) {
  const Network network(parse(R"({"layers": [{"type": "dense", "units": 300}]})"), {180, 1, 1}, 8);
  EXPECT_EQ(network.parameter_count(), 56'708);
}

TEST(Network, EveryMatrixIsAligned) {
  const Network network(parse(R"({"layers": [{"type": "dense", "units": 7},
                                             {"type": "batch_norm"}]})"),
                        {5, 1, 1}, 3);
  for (const Parameter& p : network.named_parameters())
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(network.parameters().data() + p.offset) % kAlignment,
              0u)
        << p.name;
}

TEST(Network, RecurrentWeightsStartOrthogonal) {
  Network network(
      parse(R"({"layers": [{"type": "lstm", "units": 12}, {"type": "attention_pool"}]})"),
      {5, 1, 0}, 3);
  network.initialize(Rng(1, 0));
  int found = 0;
  for (const Parameter& p : network.named_parameters()) {
    if (p.init != Init::kOrthogonal) continue;
    ++found;
    const ConstAlignedMap all(network.parameters().data() + p.offset, p.rows, p.cols);
    for (Index row = 0; row < p.rows; row += p.cols) {
      const Matrix block = all.middleRows(row, p.cols);
      EXPECT_TRUE((block.transpose() * block).isIdentity(1e-5f)) << p.name;
    }
  }
  EXPECT_GT(found, 0);
}

/// The weights that the first layer of a network starts from.
Eigen::ArrayXd first_weights(const std::string& layers, const Shape& input) {
  Network network(parse(R"({"layers": [)" + layers + "]}"), input, 3);
  network.initialize(Rng(1, 0));
  const Parameter weight = network.named_parameters().at(0);
  return network.parameters().segment(weight.offset, weight.size()).array().cast<double>();
}

TEST(Network, GlorotWeightsFillTheirRange) {
  const double dense = std::sqrt(6.0 / (50 + 40));
  const auto check = [](const Eigen::ArrayXd& weights, double bound) {
    EXPECT_LE(weights.abs().maxCoeff(), bound);
    EXPECT_GT(weights.abs().maxCoeff(), 0.98 * bound);
  };
  check(first_weights(R"({"type": "dense", "units": 40})", {50, 1, 1}), dense);
  check(first_weights(R"({"type": "dense", "units": 40, "activation": "relu", "init": "glorot"})",
                      {50, 1, 1}),
        dense);
  // An input reaches 5 frames of 40 channels; a number of the output comes from 5 frames of 20.
  check(first_weights(R"({"type": "conv1d", "channels": 40, "kernel": 5, "init": "glorot"},
                         {"type": "attention_pool"})",
                      {20, 1, 0}),
        std::sqrt(6.0 / (5 * 20 + 5 * 40)));
  check(first_weights(R"({"type": "conv2d", "channels": 30, "kernel_bands": 2, "kernel_frames": 3,
                          "init": "glorot"}, {"type": "attention_pool"})",
                      {4, 8, 0}),
        std::sqrt(6.0 / (2 * 3 * 4 + 2 * 3 * 30)));
}

TEST(Network, HeWeightsHaveTheirVariance) {
  for (const char* layer : {R"({"type": "dense", "units": 200, "activation": "relu"})",
                            R"({"type": "dense", "units": 200, "init": "he"})"}) {
    const Eigen::ArrayXd weights = first_weights(layer, {100, 1, 1});
    EXPECT_NEAR(weights.square().mean(), 2.0 / 100, 0.001) << layer;
  }
}

TEST(Network, CopyComputesTheSame) {
  Network network(parse(R"({"layers": [{"type": "dense", "units": 7, "activation": "relu"}]})"),
                  {5, 1, 1}, 3);
  network.initialize(Rng(1, 0));
  const auto logits = [](const Network& net) {
    Workspace workspace = net.make_workspace();
    const Tensor x = fill(workspace.arena, {5, 1, 1}, 1, {1, 1});
    return Matrix(net.forward(workspace, x, Mode::kInfer, Rng(0, 0)).matrix());
  };
  const Network copy = network;
  EXPECT_EQ(logits(network), logits(copy));
}

TEST(Network, BackwardEndsAtTheFirstLayerThatLearns) {
  Network network(parse(R"({"layers": [{"type": "dropout"}, {"type": "dense", "units": 3},
                                       {"type": "dense", "units": 3}]})"),
                  {4, 1, 1}, 2);
  network.initialize(Rng(1, 0));
  Workspace workspace = network.make_workspace();
  const Tensor x = fill(workspace.arena, {4, 1, 1}, 1, {1, 1});
  const Tensor logits = network.forward(workspace, x, Mode::kTrain, Rng(3, 0));
  workspace.tapes[0].wants_input_gradient = true;
  network.backward(workspace, logits, Rng(3, 0));
  EXPECT_TRUE(workspace.tapes[0].wants_input_gradient) << "the first layer was run back";
  EXPECT_FALSE(workspace.tapes[1].wants_input_gradient);
  EXPECT_TRUE(workspace.tapes[2].wants_input_gradient);
  EXPECT_GT(workspace.gradients.head(12).norm(), 0);
}

/// Most memory of a pass through `layers` convolutions and back, in tensors of the input's size.
double peak_of(int layers, Mode mode) {
  std::string list;
  for (int i = 0; i < layers; ++i) list += R"({"type": "conv1d", "channels": 32, "kernel": 3},)";
  Network network(parse(R"({"layers": [)" + list + R"({"type": "attention_pool"}]})"), {32, 1, 0},
                  3);
  network.initialize(Rng(1, 0));
  Workspace workspace = network.make_workspace();
  const Tensor x = fill(workspace.arena, {32, 1, 0}, 500, {500, 500, 400, 400});
  const Tensor logits = network.forward(workspace, x, mode, Rng(3, 0));
  if (mode == Mode::kTrain) network.backward(workspace, logits, Rng(3, 0));
  return static_cast<double>(workspace.arena.peak_bytes()) /
         static_cast<double>(static_cast<std::size_t>(x.size()) * sizeof(Real));
}

TEST(Network, InferenceTakesMemoryForTwoLayersHoweverManyThereAre) {
  EXPECT_LT(peak_of(2, Mode::kInfer), 5);
  EXPECT_NEAR(peak_of(12, Mode::kInfer), peak_of(2, Mode::kInfer), 0.01);
}

TEST(Network, TrainingTakesMemoryForAllOutputsAndTheWorkOfOneLayer) {
  EXPECT_LT(peak_of(12, Mode::kTrain), 13 + 5);
  EXPECT_NEAR(peak_of(12, Mode::kTrain) - peak_of(2, Mode::kTrain), 10, 0.1);
}

TEST(Network, LayersWorkInPlaceOfWhatNobodyReads) {
  const auto outputs = [](const char* layers) {
    Network network(parse(layers), {32, 1, 0}, 3);
    network.initialize(Rng(1, 0));
    Workspace workspace = network.make_workspace();
    const Tensor x = fill(workspace.arena, {32, 1, 0}, 50, {50, 40});
    network.forward(workspace, x, Mode::kTrain, Rng(3, 0));
    std::set<const Real*> places;
    for (const Tape& tape : workspace.tapes) {
      places.insert(tape.output.data);
      for (const Tape& child : tape.children) places.insert(child.output.data);
    }
    return places.size();
  };
  EXPECT_EQ(outputs(R"({"layers": [{"type": "batch_norm"}, {"type": "dropout"},
                                   {"type": "attention_pool"}]})"),
            3u);  // with the logits
  EXPECT_EQ(outputs(R"({"layers": [{"type": "dropout"}, {"type": "dropout"},
                                   {"type": "attention_pool"}]})"),
            4u);
  EXPECT_EQ(outputs(R"({"layers": [{"type": "residual", "body": [{"type": "batch_norm"}]},
                                   {"type": "attention_pool"}]})"),
            3u);
}

TEST(Arena, KeepsOneTensorAtAMarkWhateverBlocksTheyAreIn) {
  for (const Index between : {Index{10}, Index{100000}, Index{3000000}}) {
    Arena arena;
    arena.take<Real>(100);
    const Arena::Mark mark = arena.mark();
    arena.take<Real>(between);
    const Tensor x = fill(arena, {3, 1, 1}, 40, {40, 17});
    x.array().setLinSpaced(0, 1);
    const Vector before = x.array();
    arena.take<Real>(between);
    const Tensor kept = arena.keep(mark, x);
    EXPECT_EQ(Vector(kept.array()), before);
    EXPECT_EQ(kept.length(1), 17);
    EXPECT_EQ(kept.columns(), 80);
    const Tensor again = arena.keep(mark, kept);  // stands at the mark already
    EXPECT_EQ(again.data, kept.data);
    arena.release(mark);
    EXPECT_EQ(arena.take<Real>(1), kept.data);
    arena.reset();
    EXPECT_LE(arena.capacity_bytes(), arena.peak_bytes() + (1 << 17));
  }
}

TEST(Network, FramesAtTheEndAreRefused) {
  try {
    Network(parse(R"({"layers": [{"type": "dense"}]})"), {5, 1, 0}, 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("leaves frames"));
  }
}

TEST(Dropout, KeepsTheExpectation) {
  const Network network(parse(R"({"layers": [{"type": "dropout", "rate": 0.25}]})"), {1000, 1, 1},
                        2);
  Workspace workspace = network.make_workspace();
  const Tensor x = workspace.arena.tensor({1000, 1, 1}, 1, 50, nullptr);
  x.array().setOnes();
  network.forward(workspace, x, Mode::kTrain, Rng(3, 0));
  const Tensor& dropped = workspace.tapes.back().input;
  EXPECT_NEAR(dropped.array().mean(), 1.0, 0.01);
  EXPECT_NEAR((dropped.array() == 0).cast<double>().mean(), 0.25, 0.01);
}

TEST(BatchNorm, StateMovesTowardsTheBatch) {
  Network network(parse(R"({"layers": [{"type": "batch_norm"}]})"), {1, 1, 1}, 2);
  network.initialize(Rng(1, 0));
  Workspace workspace = network.make_workspace();
  const Tensor x = workspace.arena.tensor({1, 1, 1}, 1, 4, nullptr);
  x.matrix() << 1, 2, 3, 6;
  network.forward(workspace, x, Mode::kTrain, Rng(3, 0));
  network.apply_state_update(workspace.state_update, 0.1);
  const auto state = network.named_state();
  EXPECT_FLOAT_EQ(network.state()(state[0].offset), 0.3f);
  EXPECT_FLOAT_EQ(network.state()(state[1].offset), 0.9f + 0.1f * 14.0f / 3);  // unbiased variance
}

}  // namespace
}  // namespace ser::nn
