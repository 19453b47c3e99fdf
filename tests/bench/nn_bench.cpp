// Time of training steps and of one clip's prediction for four networks that scripts/bench times in
// PyTorch too, and of the product that all of them rest on, beside the core's multiply-add peak.

#include <benchmark/benchmark.h>

#include <cmath>

#include "nn/product.h"
#include "ser/core/parallel.h"
#include "ser/nn/loss.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"

namespace ser::nn {
namespace {

constexpr int kClasses = 8;

struct Model {
  const char* name;
  const char* json;
  Shape input;
  Index clips;
};

constexpr Model kModels[] = {
    {"M",
     R"({"layers": [{"type": "dense", "units": 300, "activation": "relu"}]})",
     {180, 1, 1},
     256},
    {"C",
     R"({"layers": [
       {"type": "conv1d", "channels": 128, "kernel": 5},
       {"type": "batch_norm", "activation": "relu"}, {"type": "max_pool", "frames": 2},
       {"type": "conv1d", "channels": 128, "kernel": 5},
       {"type": "batch_norm", "activation": "relu"}, {"type": "max_pool", "frames": 2},
       {"type": "conv1d", "channels": 256, "kernel": 5},
       {"type": "batch_norm", "activation": "relu"}, {"type": "attention_pool", "hidden": 0}]})",
     {40, 1, 0},
     32},
    {"C2",
     R"({"layers": [
       {"type": "conv2d", "channels": 32},
       {"type": "batch_norm", "activation": "relu"}, {"type": "max_pool", "bands": 2, "frames": 2},
       {"type": "conv2d", "channels": 64},
       {"type": "batch_norm", "activation": "relu"}, {"type": "max_pool", "bands": 2, "frames": 2},
       {"type": "conv2d", "channels": 128},
       {"type": "batch_norm", "activation": "relu"}, {"type": "max_pool", "bands": 2, "frames": 2},
       {"type": "conv2d", "channels": 128},
       {"type": "batch_norm", "activation": "relu"},
       {"type": "attention_pool", "hidden": 0}]})",
     {1, 64, 0},
     32},
    {"L",
     R"({"layers": [{"type": "lstm", "units": 128, "bidirectional": true},
                    {"type": "attention_pool", "hidden": 0}]})",
     {40, 1, 0},
     32},
};

Matrix random_matrix(Index rows, Index cols, std::uint64_t stream) {
  Rng rng(1, stream);
  Matrix m(rows, cols);
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<Real>(rng.normal());
  return m;
}

/// A network, a batch in memory, and what training it takes; shards as the trainer cuts them.
class Session {
 public:
  Session(const Model& model, Index clips, std::size_t shards)
      : network_(parse(model.json), model.input, kClasses),
        frames_(model.input.frames ? model.input.frames : 200),
        clips_(clips / static_cast<Index>(shards)),
        input_(random_matrix(model.input.rows(), frames_ * clips, 2)),
        targets_(Matrix::Zero(kClasses, clips_)),
        allowed_(Matrix::Ones(kClasses, clips_)),
        weights_(Matrix::Constant(1, clips_, 1 / static_cast<Real>(clips))),
        optimizer_(OptimizerOptions{.kind = OptimizerOptions::Kind::kAdam, .weight_decay = 0},
                   network_.decay_mask()) {
    network_.initialize(Rng(1, 0));
    for (Index n = 0; n < clips_; ++n) targets_(n % kClasses, n) = 1;
    for (std::size_t i = 0; i < shards; ++i) workspaces_.push_back(network_.make_workspace());
  }

  void train_step(int threads) {
    parallel_for(workspaces_.size(), threads, [&](std::size_t i) {
      Workspace& workspace = workspaces_[i];
      const Tensor logits = forward(workspace, static_cast<Index>(i), Mode::kTrain);
      const Tensor gradient = workspace.arena.tensor_like(logits);
      softmax_cross_entropy(logits, {{0, kClasses}}, {targets_, allowed_, weights_}, gradient);
      network_.backward(workspace, gradient, Rng(2, i));
    });
    for (std::size_t i = 1; i < workspaces_.size(); ++i)
      workspaces_[0].gradients += workspaces_[i].gradients;
    optimizer_.step(network_.parameters(), workspaces_[0].gradients, 1e-3);
    for (const Workspace& workspace : workspaces_)
      network_.apply_state_update(workspace.state_update, 0.1);
  }

  Real predict() { return forward(workspaces_[0], 0, Mode::kInfer).data[0]; }

 private:
  static NetworkOptions parse(const char* json) {
    NetworkOptions options;
    from_json(json, options);
    return options;
  }

  Tensor forward(Workspace& workspace, Index shard, Mode mode) {
    workspace.arena.reset();
    const Tensor x = workspace.arena.tensor(network_.input(), frames_, clips_, nullptr);
    x.matrix() = input_.middleCols(shard * x.columns(), x.columns());
    return network_.forward(workspace, x, mode, Rng(2, static_cast<std::uint64_t>(shard)));
  }

  Network network_;
  Index frames_;
  Index clips_;  ///< of a shard
  Matrix input_, targets_, allowed_, weights_;
  Optimizer optimizer_;
  std::vector<Workspace> workspaces_;
};

void train(benchmark::State& state, const Model& model, int threads) {
  Session session(model, model.clips, static_cast<std::size_t>(threads));
  for (int i = 0; i < 2; ++i) session.train_step(threads);
  for (auto _ : state) session.train_step(threads);
  state.counters["samples_per_s"] = benchmark::Counter(
      static_cast<double>(model.clips), benchmark::Counter::kIsIterationInvariantRate);
}

void predict_one(benchmark::State& state, const Model& model) {
  Session session(model, 1, 1);
  for (int i = 0; i < 2; ++i) session.predict();
  for (auto _ : state) benchmark::DoNotOptimize(session.predict());
}

void count_operations(benchmark::State& state, double each) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(each * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// What the core can do at most: multiply-adds on registers alone.
void peak(benchmark::State& state) {
  namespace packet_math = Eigen::internal;
  using Packet = packet_math::packet_traits<Real>::type;
  constexpr int kChains = 12;
  constexpr Index kRounds = 100'000;
  Packet sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = packet_math::pset1<Packet>(Real(i));
  const Packet factor = packet_math::pset1<Packet>(Real(0.999));
  for (auto _ : state)
    for (Index round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
      for (int i = 0; i < kChains; ++i) sums[i] = packet_math::pmadd(sums[i], factor, factor);
    }
  Packet total = sums[0];
  for (int i = 1; i < kChains; ++i) total = packet_math::padd(total, sums[i]);
  Real sink[packet_math::packet_traits<Real>::size];
  packet_math::pstoreu(sink, total);
  benchmark::DoNotOptimize(sink);
  count_operations(state, 2.0 * kChains * static_cast<double>(kRounds) *
                              static_cast<double>(packet_math::packet_traits<Real>::size));
}

/// left [m x k] times right [k x n], as dense layers and convolutions use it.
void product(benchmark::State& state, Index m, Index k, Index n) {
  const Matrix left = random_matrix(m, k, 1), right = random_matrix(k, n, 2);
  Matrix out(m, n);
  Arena arena;
  for (auto _ : state) {
    arena.reset();
    multiply(pack_left(arena, left.data(), m, 1, evenly(arena, k, m)),
             {right.data(), evenly(arena, k, 1), evenly(arena, n, k)},
             {out.data(), evenly(arena, n, m)});
  }
  count_operations(state, 2.0 * static_cast<double>(m * k * n));
}

/// out [m x k] += left [m x n] right^T [n x k], as weight gradients use it.
void outer_product(benchmark::State& state, Index m, Index k, Index n) {
  const Matrix left = random_matrix(m, n, 1), right = random_matrix(k, n, 2);
  Matrix out = Matrix::Zero(m, k);
  Arena arena;
  for (auto _ : state) {
    arena.reset();
    multiply_add(arena, left.data(), m, evenly(arena, n, m),
                 {right.data(), evenly(arena, n, k), evenly(arena, k, 1)},
                 {out.data(), evenly(arena, k, m)});
  }
  count_operations(state, 2.0 * static_cast<double>(m * k * n));
}

/// Eigen's own product, for comparison.
void eigen_product(benchmark::State& state, Index m, Index k, Index n) {
  const Matrix left = random_matrix(m, k, 1), right = random_matrix(k, n, 2);
  Matrix out(m, n);
  for (auto _ : state) {
    out.noalias() = left * right;
    benchmark::DoNotOptimize(out.data());
  }
  count_operations(state, 2.0 * static_cast<double>(m * k * n));
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("peak", peak);
  for (const auto& [m, k, n] : {std::array<Index, 3>{300, 180, 256},
                                {128, 640, 3200},
                                {64, 288, 6400},
                                {128, 1152, 6400},
                                {512, 168, 32}}) {
    const std::string size =
        "/" + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n);
    benchmark::RegisterBenchmark(("product" + size).c_str(), product, m, k, n);
    benchmark::RegisterBenchmark(("outer_product" + size).c_str(), outer_product, m, k, n);
    benchmark::RegisterBenchmark(("eigen_product" + size).c_str(), eigen_product, m, k, n);
  }
  for (const Model& model : kModels) {
    const std::string name = std::string("/") + model.name;
    for (const int threads : {1, 2})
      benchmark::RegisterBenchmark(
          ("train" + name + "/threads:" + std::to_string(threads)).c_str(),
          [&model, threads](benchmark::State& s) { train(s, model, threads); })
          ->UseRealTime();
    benchmark::RegisterBenchmark(("predict" + name).c_str(),
                                 [&model](benchmark::State& s) { predict_one(s, model); });
  }
  return true;
}();

}  // namespace
}  // namespace ser::nn
