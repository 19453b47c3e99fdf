#include "ser/model/model.h"

#include <fmt/format.h>

#include <map>

#include "core/internal/json_io.h"
#include "nn/internal/onnx_graph.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"
#include "ser/features/feature_set.h"

namespace ser {
namespace {

using nn::OnnxGraph;

/// The input of a member's set, of the same name for all that read it.
std::string input_name(const FeatureSet& set) {
  const std::string preset = preset_name(set);
  return preset.empty() ? "features_" + fingerprint(set) : preset;
}

/// Adds the features that a member reads, as [clips, rows, frames].
std::string add_input(OnnxGraph& graph, const Member& member) {
  const std::string name = input_name(member.set);
  const nn::Index rows = member.network.input().rows();
  graph.add_metadata(name + ".rows", join(row_names(member.set), ","));
  graph.add_metadata(name + ".features", dump_text(options_to_json(member.set)));
  if (member.network.input().frames == 0) {
    graph.add_input(name, {"N", "T", rows});
    return graph.transpose(name, {0, 2, 1});
  }
  graph.add_input(name, {"N", rows});
  return graph.reshape(name, {0, -1, 1});
}

/// From [clips, rows, frames] to [clips, frames, rows].
std::string add_scaler(OnnxGraph& graph, const Scaler& scaler, std::string x) {
  const auto column = [&](const Eigen::VectorXf& rows) {
    return graph.constant(rows, {rows.size(), 1});
  };
  if (scaler.options().kind == ScalerOptions::Kind::kRows) {
    x = graph.add("Sub", {x, column(scaler.mean())});
    x = graph.add("Mul", {x, column(scaler.scale())});
  }
  const auto limit = static_cast<float>(scaler.options().limit);
  if (limit > 0) x = graph.add("Clip", {x}, {{"min", -limit}, {"max", limit}});
  return graph.transpose(x, {0, 2, 1});
}

/// What the weights of the members sum to: in the emotions, in the genders.
struct TotalWeight {
  double emotions = 0, genders = 0;
};

/// The member's part of the pooled logits.
std::string add_member(OnnxGraph& graph, const Model& model, const Member& member,
                       const TotalWeight& total, const std::string& input) {
  const std::string logits =
      member.network.export_to(graph, add_scaler(graph, member.scaler, input));
  Eigen::VectorXd factor = Eigen::VectorXd::Constant(member.network.outputs(),
                                                     model.gender_weight(member) / total.genders);
  factor.head(std::ssize(model.emotions))
      .setConstant(model.emotion_weight(member) / total.emotions / member.temperature);
  return graph.add("Mul", {logits, graph.constant(factor.cast<nn::Real>(), {factor.size()})});
}

/// Probabilities of the classes `range` of the logits.
void add_output(OnnxGraph& graph, const std::string& name, const std::vector<std::string>& classes,
                const nn::HeadRange& range, const std::string& logits) {
  graph.add_metadata(name, join(classes, ","));
  const std::string own = graph.slice(logits, 1, range.begin, range.begin + range.size);
  graph.add("Softmax", {own}, {{"axis", 1}}, name);
  graph.add_output(name, {"N", range.size});
}

}  // namespace

void write_onnx(const Model& model, const std::filesystem::path& path) {
  OnnxGraph graph;
  std::map<std::string, std::string> inputs;  // by fingerprint
  TotalWeight total;
  for (const Member& member : model.members) {
    total.emotions += model.emotion_weight(member);
    total.genders += model.gender_weight(member);
  }
  std::string sum;
  for (const Member& member : model.members) {
    std::string& input = inputs[fingerprint(member.set)];
    if (input.empty()) input = add_input(graph, member);
    const std::string part = add_member(graph, model, member, total, input);
    sum = sum.empty() ? part : graph.add("Add", {sum, part});
  }
  const std::vector<nn::HeadRange> heads = model.heads();
  add_output(graph, "emotion", model.emotions, heads[0], sum);
  if (heads.size() > 1) add_output(graph, "gender", model.genders, heads[1], sum);
  graph.add_metadata("uncertain_below", fmt::format("{}", model.uncertain_below));
  write_file(path, graph.file());
}

}  // namespace ser
