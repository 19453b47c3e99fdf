#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "ser/nn/loss.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"

namespace {

std::atomic<long> allocations = 0;

}  // namespace

// Every way to memory of the C++ and C library ends here. Sanitizers bring a malloc of their own.
#if !defined(__SANITIZE_ADDRESS__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}
#endif

namespace ser::nn {
namespace {

constexpr const char* kEveryKindOfLayer = R"({"layers": [
  {"type": "reshape", "to": "channels"},
  {"type": "conv1d", "channels": 16, "kernel": 5, "stride": 2},
  {"type": "batch_norm", "activation": "relu"},
  {"type": "residual", "body": [
    {"type": "conv1d", "channels": 16, "kernel": 3, "dilation": 2},
    {"type": "dropout", "rate": 0.1}], "shortcut": []},
  {"type": "lstm", "units": 8, "bidirectional": true},
  {"type": "attention_pool", "hidden": 4, "statistics": "mean_std"},
  {"type": "dense", "units": 8, "activation": "relu"}]})";

TEST(Allocation, NoneInAWarmTrainingStep) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "sanitizers count memory themselves";
#endif
  NetworkOptions options;
  from_json(kEveryKindOfLayer, options);
  constexpr Index kClips = 4, kFrames = 50;
  const std::vector<HeadRange> heads = {{0, 3}};
  Network network(options, {1, 12, 0}, 3);
  network.initialize(Rng(1, 0));
  Optimizer optimizer({.kind = OptimizerOptions::Kind::kAdamW}, network.decay_mask());
  Workspace workspace = network.make_workspace();
  const Matrix input = Matrix::Random(12, kFrames * kClips), weights = Matrix::Ones(1, kClips);
  const Matrix allowed = Matrix::Ones(3, kClips);
  Matrix targets = Matrix::Zero(3, kClips);
  targets.row(1).setOnes();
  const int lengths[] = {50, 44, 31, 7};
  const auto step = [&] {
    workspace.arena.reset();
    const Tensor x = workspace.arena.tensor(network.input(), kFrames, kClips, lengths);
    x.matrix() = input;
    const Tensor logits = network.forward(workspace, x, Mode::kTrain, Rng(2, 0));
    const Tensor gradient = workspace.arena.tensor_like(logits);
    softmax_cross_entropy(logits, heads, {targets, allowed, weights}, gradient);
    network.backward(workspace, gradient, Rng(2, 0));
    optimizer.step(network.parameters(), workspace.gradients, 1e-3);
    network.apply_state_update(workspace.state_update, 0.1);
  };
  const long before = allocations;
  step();
  EXPECT_GT(allocations, before) << "the counter does not count";
  step();
  const long warm = allocations;
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(allocations, warm);
}

}  // namespace
}  // namespace ser::nn
