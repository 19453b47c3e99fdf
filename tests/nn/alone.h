#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ser/nn/network.h"

namespace ser::nn {

/// One layer alone, from its JSON, with random parameters.
class Alone {
 public:
  Alone(const std::string& json, const Shape& input) {
    from_json(R"({"layers": [)" + json + "]}", options_);
    node_.layer = &*options_.layers[0];
    node_.name = "0";
    node_.input = input;
    node_.output = node_.layer->plan(node_);
    Index count = 0, states = 0;
    place(node_, count, states);
    parameters = Vector::Zero(count);
    state_ = Vector::Ones(states);
    Rng rng(5, 0);
    for (Index i = 0; i < count; ++i) parameters(i) = static_cast<Real>(0.3 * rng.normal());
    tape_ = make_tape(node_);
  }

  /// Output for clips that stand one after the other, each `frames` long with its padding.
  Tensor run(const Matrix& input, const std::vector<int>& lengths, Mode mode = Mode::kInfer) {
    arena_.reset();
    update_ = state_;
    const auto clips = static_cast<Index>(lengths.size());
    int* const stored = arena_.take<int>(clips);
    std::copy(lengths.begin(), lengths.end(), stored);
    tape_.input = arena_.tensor(node_.input, input.cols() / clips, clips,
                                node_.input.frames ? nullptr : stored);
    tape_.input.matrix() = input;
    tape_.input.clear_padding();
    Pass pass;
    pass.mode = mode;
    pass.parameters = parameters.data();
    pass.state = state_.data();
    pass.state_update = update_.data();
    pass.arena = &arena_;
    return tape_.output = node_.layer->forward(node_, pass, tape_);
  }

  /// A parameter's numbers.
  AlignedMap parameter(std::size_t index) {
    const Parameter& p = node_.parameters[index];
    return {parameters.data() + p.offset, p.rows, p.cols};
  }

  Vector parameters;

 private:
  static void place(Node& node, Index& count, Index& states) {
    for (Parameter& p : node.parameters)
      p.offset = std::exchange(count, count + aligned_count(p.size()));
    for (Parameter& p : node.state)
      p.offset = std::exchange(states, states + aligned_count(p.size()));
    for (Node& child : node.children) place(child, count, states);
  }

  NetworkOptions options_;
  Node node_;
  Tape tape_;
  Arena arena_;
  Vector state_, update_;
};

inline Matrix random_input(Index rows, Index cols, std::uint64_t stream = 1) {
  Rng rng(3, stream);
  Matrix m(rows, cols);
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<Real>(rng.normal());
  return m;
}

}  // namespace ser::nn
