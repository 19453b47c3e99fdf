#include "describe.h"

#include <fmt/format.h>

#include <numeric>

#include "ser/corpus/corpus.h"
#include "ser/train/training_data.h"

namespace ser {
namespace {

nn::Index own_parameters(const nn::Node& node) {
  return std::accumulate(node.parameters.begin(), node.parameters.end(), nn::Index{0},
                         [](nn::Index sum, const nn::Parameter& p) { return sum + p.size(); });
}

void print_node(const nn::Node& node, int depth) {
  fmt::print("{:<28}{:<18}{:>18}{:>12}\n",
             std::string(2 * static_cast<std::size_t>(depth), ' ') + node.name, node.layer->type(),
             nn::to_string(node.output), own_parameters(node));
  for (const nn::Node& child : node.children) print_node(child, depth + 1);
}

}  // namespace

void describe_network(const Recipe& recipe, const FeatureTable& table) {
  std::vector<int> all(table.size());
  std::iota(all.begin(), all.end(), 0);
  const auto outputs = emotion_labels(table.clips, all).size() +
                       gender_labels(table, all, recipe.training.tasks).size();
  const nn::Network network = make_network(recipe, table, static_cast<int>(outputs));
  fmt::print("{:<28}{:<18}{:>18}{:>12}\n", "layer", "type", "output", "parameters");
  fmt::print("{:<28}{:<18}{:>18}\n", "input", "", nn::to_string(network.input()));
  for (const nn::Node& node : network.nodes()) print_node(node, 0);
  fmt::print("{} trained numbers a network, {} network{}\n", network.parameter_count(),
             recipe.members, recipe.members == 1 ? "" : "s");
}

}  // namespace ser
