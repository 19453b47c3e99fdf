#include "core/internal/fail.h"
#include "nn/layers/parts.h"

namespace ser::nn {
namespace {

/// y = f(body(x) + shortcut(x)) (He et al. 2016). An empty shortcut is x itself.
class Residual : public Cloneable<Residual, Layer> {
 public:
  std::vector<Box<Layer>> body;
  std::vector<Box<Layer>> shortcut;  ///< around the body; none: the input itself
  Activation activation = Activation::kRelu;

  std::string_view type() const override { return "residual"; }
  void visit(FieldVisitor& v) override {
    visit_layers(v, "body", body);
    visit_layers(v, "shortcut", shortcut);
    visit_activation(v, activation);
  }

  Shape plan(Node& node) const override {
    const Shape through = plan_chain(body, node.name + ".body.", node.input, node.children);
    const Shape around = plan_chain(shortcut, node.name + ".shortcut.", node.input, node.children);
    if (through != around)
      fail("expected body and shortcut of one shape, found {} and {}", to_string(through),
           to_string(around));
    return through;
  }

  Tensor forward(const Node& node, const Pass& pass, Tape& tape) const override {
    const Parts parts = split(node, tape);
    const Tensor through = forward_chain(parts.body, pass, parts.body_tapes, tape.input);
    const Tensor around = forward_chain(parts.shortcut, pass, parts.shortcut_tapes, tape.input);
    if (through.frames != around.frames)
      fail("residual: the body leaves {} frames of {}, the shortcut {}", through.frames,
           tape.input.frames, around.frames);
    const bool in_place = !body.empty() && !body.back()->reads_output();
    const Tensor y = in_place ? through : pass.arena->tensor_like(through);
    y.array() = through.array() + around.array();
    finish_forward(activation, y);
    return y;
  }

  Tensor backward(const Node& node, const Pass& pass, Tape& tape, const Tensor& dy) const override {
    begin_backward(activation, tape.output, dy);
    const Parts parts = split(node, tape);
    const Tensor copy = pass.arena->tensor_like(dy);  // both ways may overwrite theirs
    copy.array() = dy.array();
    const bool wanted = tape.wants_input_gradient;
    const Tensor through = backward_chain(parts.body, pass, parts.body_tapes, dy, wanted);
    const Tensor around = backward_chain(parts.shortcut, pass, parts.shortcut_tapes, copy, wanted);
    if (!wanted) return {};
    through.array() += around.array();
    return through;
  }

  std::string export_to(OnnxGraph& graph, const Node& node, const Pass& pass,
                        const std::string& x) const override {
    const std::span<const Node> nodes(node.children);
    const std::string through = export_chain(graph, nodes.first(body.size()), pass, x);
    const std::string around = export_chain(graph, nodes.subspan(body.size()), pass, x);
    return export_activation(graph, activation, graph.add("Add", {through, around}));
  }

 private:
  struct Parts {
    std::span<const Node> body, shortcut;
    std::span<Tape> body_tapes, shortcut_tapes;
  };
  Parts split(const Node& node, Tape& tape) const {
    const std::span<const Node> nodes(node.children);
    const std::span<Tape> tapes(tape.children);
    return {nodes.first(body.size()), nodes.subspan(body.size()), tapes.first(body.size()),
            tapes.subspan(body.size())};
  }
};

}  // namespace

std::unique_ptr<Layer> make_residual() { return std::make_unique<Residual>(); }

}  // namespace ser::nn
