#include <fmt/format.h>

#include "nn/layers/makers.h"
#include "ser/core/error.h"

namespace ser::nn {
namespace {

/// Layers side by side on one input; their outputs' rows, one branch after the other, become the
/// channels of the output.
class Parallel : public Cloneable<Parallel, Layer> {
 public:
  std::vector<Box<Layer>> branches;

  std::string_view type() const override { return "parallel"; }
  void visit(FieldVisitor& v) override {
    visit_layers(v, "branches", branches, "Layers that read the same input");
  }

  Shape plan(Node& node) const override {
    if (branches.empty()) throw Error("'branches': expected at least one, found none");
    Shape output{0, 1, 0};
    for (const Box<Layer>& branch : branches) {
      const bool first = node.children.empty();
      Node child;
      child.layer = &*branch;
      child.name = fmt::format("{}.{}", node.name, node.children.size());
      child.input = node.input;
      child.output =
          with_context(fmt::format("branch {} ({})", node.children.size(), branch->type()),
                       [&] { return branch->plan(child); });
      if (!first && child.output.frames != output.frames)
        throw Error(fmt::format("expected branches of as many frames, found {} and {}",
                                to_string(node.children[0].output), to_string(child.output)));
      output.channels += static_cast<int>(child.output.rows());
      output.frames = child.output.frames;
      node.children.push_back(std::move(child));
    }
    return output;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    Tensor y;
    Index row = 0;
    for (std::size_t b = 0; b < node.children.size(); ++b) {
      Tape& branch = tape.children[b];
      branch.input = tape.input;
      branch.output = node.children[b].layer->forward(node.children[b], pass, branch);
      const Tensor& part = branch.output;
      if (b == 0) y = pass.arena->tensor(node.output, part.frames, part.clips, part.lengths);
      if (part.frames != y.frames)
        throw Error(fmt::format("parallel: branch 0 leaves {} frames of {}, branch {} leaves {}",
                                y.frames, tape.input.frames, b, part.frames));
      y.matrix().middleRows(row, part.rows()) = part.matrix();
      row += part.rows();
    }
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape,
                  const Tensor& gradient) const override {
    Tensor sum;
    Index row = 0;
    for (std::size_t b = 0; b < node.children.size(); ++b) {
      Tape& branch = tape.children[b];
      branch.wants_input_gradient = tape.wants_input_gradient;
      const Tensor part = pass.arena->tensor_like(branch.output);
      part.matrix() = gradient.matrix().middleRows(row, part.rows());
      row += part.rows();
      const Tensor through = node.children[b].layer->backward(node.children[b], pass, branch, part);
      if (!tape.wants_input_gradient) continue;
      if (b == 0) {
        sum = through;
      } else {
        sum.array() += through.array();
      }
    }
    return sum;
  }
};

}  // namespace

std::unique_ptr<Layer> make_parallel() { return std::make_unique<Parallel>(); }

}  // namespace ser::nn
