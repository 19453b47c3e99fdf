#include "ser/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/text.h"

namespace ser {
namespace {

void check_alike(const Model& a, const Model& b) {
  const auto check = [](const std::vector<std::string>& of_a, const std::vector<std::string>& of_b,
                        std::string_view what) {
    if (of_a != of_b)
      fail("expected the same {}, found {} and {}", what, of_a.empty() ? "none" : join(of_a, ","),
           of_b.empty() ? "none" : join(of_b, ","));
  };
  check(a.emotions, b.emotions, "emotions");
  check(a.genders, b.genders, "genders");
  if (a.training.split != b.training.split || a.training.fold != b.training.fold)
    fail(
        "expected models trained on the same clips, found fold {} of '{}' and "
        "fold {} of '{}'",
        a.training.fold, a.training.split, b.training.fold, b.training.split);
  if (a.training.split.starts_with("random:") && a.training.seed != b.training.seed)
    fail(
        "expected models trained on the same clips, found folds of '{}' drawn with seeds {} and {}",
        a.training.split, a.training.seed, b.training.seed);
}

std::vector<std::string> all_of(const std::vector<std::string>& a,
                                const std::vector<std::string>& b) {
  std::vector<std::string> both;
  std::ranges::set_union(a, b, std::back_inserter(both));
  return both;
}

}  // namespace

Model combine(const std::vector<Model>& models, const std::vector<std::string>& names,
              double temperature) {
  if (models.empty()) fail("expected models to combine, found none");
  if (!(temperature > 0)) fail("temperature: expected a number above 0, found {}", temperature);
  Model ensemble = models[0];
  ensemble.members.clear();
  Json recipes = Json::array();
  for (std::size_t i = 0; i < models.size(); ++i) {
    with_context(fmt::format("{} and {}", names[0], names[i]),
                 [&] { check_alike(models[0], models[i]); });
    recipes.push_back(parse_json(models[i].training.recipe, "recipe"));
    ensemble.uncertain_below = std::max(ensemble.uncertain_below, models[i].uncertain_below);
    TrainingInfo& all = ensemble.training;
    all.speakers = all_of(all.speakers, models[i].training.speakers);
    all.recordings = all_of(all.recordings, models[i].training.recordings);
    double total = 0;
    for (const Member& member : models[i].members) total += member.weight;
    for (Member member : models[i].members) {
      member.weight /= total;
      member.temperature *= temperature;
      ensemble.members.push_back(std::move(member));
    }
  }
  ensemble.training.recipe = dump_text(Json{{"average", std::move(recipes)}});
  return ensemble;
}

}  // namespace ser
