#include "ser/model/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/internal/fail.h"
#include "ser/core/hash.h"

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

}  // namespace ser
