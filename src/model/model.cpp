#include "ser/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/text.h"

namespace ser {

bool Model::listens() const {
  return std::ranges::any_of(members, [&](const Member& member) {
    return member.listening.enabled && emotion_weight(member) > 0;
  });
}

double Model::emotion_weight(const Member& member) const {
  const bool alone = std::ranges::all_of(members, &Member::gender_only);
  return member.gender_only && !alone ? 0 : member.weight;
}

double Model::gender_weight(const Member& member) const {
  const bool alone = std::ranges::all_of(members, &Member::emotion_only);
  return member.emotion_only && !alone ? 0 : member.weight;
}

std::vector<nn::HeadRange> Model::heads() const {
  const auto emotion_count = static_cast<nn::Index>(emotions.size());
  std::vector<nn::HeadRange> ranges = {{0, emotion_count}};
  if (!genders.empty()) ranges.push_back({emotion_count, static_cast<nn::Index>(genders.size())});
  return ranges;
}

std::string identity(const Model& model) {
  std::string text =
      fmt::format("{} | {}", fmt::join(model.emotions, ","), fmt::join(model.genders, ","));
  std::uint64_t hash = fnv1a("");
  const auto add = [&](const auto& numbers) {
    hash = fnv1a({reinterpret_cast<const char*>(numbers.data()),
                  static_cast<std::size_t>(numbers.size()) * sizeof(*numbers.data())},
                 hash);
  };
  for (const Member& member : model.members) {
    text += fmt::format(" {} {}", fingerprint(member.set), to_json(member.network.options()));
    add(member.scaler.mean());
    add(member.scaler.scale());
    add(member.network.parameters());
    add(member.network.state());
  }
  return fmt::format("{:016x}", fnv1a(text, hash));
}

ClipPrediction keep_classes(const Model& model, ClipPrediction prediction,
                            const std::vector<std::string>& allowed) {
  for (std::size_t i = 0; i < model.emotions.size(); ++i)
    if (std::ranges::find(allowed, model.emotions[i]) == allowed.end())
      prediction.emotions[static_cast<Eigen::Index>(i)] = 0;
  const double sum = prediction.emotions.sum();
  if (!(sum > 0))
    fail("expected some of the model's emotions ({}), found {}", fmt::join(model.emotions, ", "),
         fmt::join(allowed, ", "));
  prediction.emotions /= sum;
  return prediction;
}

Eigen::VectorXd uncalibrated(const Model& model, const Eigen::VectorXd& emotions) {
  double sum = 0, total = 0;
  for (const Member& member : model.members) {
    sum += model.emotion_weight(member) * member.temperature;
    total += model.emotion_weight(member);
  }
  if (sum == total) return emotions;
  const Eigen::VectorXd powers = emotions.array().pow(sum / total);
  return powers / powers.sum();
}

bool is_uncertain(const Model& model, const ClipPrediction& prediction) {
  return prediction.emotions.maxCoeff() < model.uncertain_below;
}

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
  if (names.size() != models.size())
    fail("expected a name for each of {} models, found {}", models.size(), names.size());
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
