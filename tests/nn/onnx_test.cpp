#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/internal/onnx_graph.h"
#include "nn/variants.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/nn/network.h"
#include "support/onnx_reader.h"
#include "support/temp_folder.h"

namespace ser::nn {
namespace {

constexpr int kOutputs = 4;

/// A layer, what it leaves pooled over time, and no number as it was made.
Network network_of(const Layer& layer, const Shape& shape) {
  NetworkOptions options;
  options.layers.push_back(layer.clone());
  options.layers.push_back(make_layer("attention_pool"));
  Network network(options, shape, kOutputs);
  Rng rng(3, 0);
  network.initialize(rng);
  for (Real& x : network.parameters()) x += static_cast<Real>(0.3 * rng.normal());
  for (Real& x : network.state()) x += static_cast<Real>(rng.uniform(0, 1));
  return network;
}

Matrix clip_of(const Shape& shape, Index frames, std::uint64_t seed) {
  Rng rng(seed, 0);
  Matrix clip(shape.rows(), frames);
  for (Real& x : clip.reshaped()) x = static_cast<Real>(rng.normal());
  return clip;
}

Vector logits(const Network& network, const Matrix& clip) {
  Workspace workspace = network.make_workspace();
  const Tensor x = workspace.arena.tensor(network.input(), clip.cols(), 1, nullptr);
  x.matrix() = clip;
  return network.forward(workspace, x, Mode::kInfer, Rng(0, 0)).matrix().col(0);
}

void export_network(const Network& network, const std::filesystem::path& file) {
  const Shape& shape = network.input();
  OnnxGraph graph;
  const auto frames = shape.frames == 0 ? OnnxGraph::Axis("T") : OnnxGraph::Axis(shape.frames);
  graph.add_input("x", {"N", frames, shape.rows()});
  const std::string shape_of_logits = graph.constant(OnnxGraph::Sizes{0, -1});
  graph.add("Reshape", {network.export_to(graph, "x"), shape_of_logits}, {}, "logits");
  graph.add_output("logits", {"N", kOutputs});
  write_file(file, graph.file());
}

class OnnxTest : public testing::TestWithParam<std::string> {};

TEST_P(OnnxTest, AnotherProgramComputesTheSame) {
  if (!has_onnx_reader()) GTEST_SKIP() << "libopencv-dnn-dev is not installed";
  const TempFolder folder;
  int checked = 0;
  for (const LayerVariant& variant : layer_variants(GetParam()))
    for (const Shape& shape : {Shape{6, 1, 1}, Shape{3, 1, 0}, Shape{2, 9, 0}, Shape{1, 1, 20}}) {
      SCOPED_TRACE(variant.description + " on " + to_string(shape));
      std::optional<Network> network;
      try {
        network.emplace(network_of(*variant.layer, shape));
      } catch (const Error&) {
        continue;  // this layer does not take this shape
      }
      export_network(*network, folder / "net.onnx");
      for (const Index frames : {17, 12}) {
        const Matrix clip = clip_of(shape, shape.frames > 0 ? shape.frames : frames, ++checked);
        OnnxReader reader(folder / "net.onnx", clip.cols());
        reader.set_frames("x", clip);
        const Vector expected = logits(*network, clip);
        EXPECT_LT((reader.output("logits") - expected).cwiseAbs().maxCoeff(), 1e-4)
            << expected.transpose();
      }
    }
  EXPECT_GT(checked, 0);
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const LayerType& type : layer_types()) names.emplace_back(type.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Layers, OnnxTest, testing::ValuesIn(type_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace ser::nn
