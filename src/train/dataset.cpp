#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ser/core/error.h"

namespace ser {
namespace {

/// Position of `name` in `names`, or -1.
nn::Index position(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

std::vector<std::string> intensity_labels(const FeatureTable& table,
                                          const std::vector<int>& clips) {
  std::set<std::string> names;
  for (const int clip : clips) names.insert(table.clips[static_cast<std::size_t>(clip)].intensity);
  names.erase("");
  return names.size() < 2 ? std::vector<std::string>{}
                          : std::vector<std::string>(names.begin(), names.end());
}

/// Weight of each emotion's clips so that all emotions sum alike and the mean stays one.
Eigen::VectorXd class_weights(const nn::Matrix& targets, nn::Index emotions) {
  const Eigen::VectorXd counts = targets.topRows(emotions).cast<double>().rowwise().sum();
  const double mean = counts.sum() / static_cast<double>((counts.array() > 0).count());
  return (counts.array() > 0).select(mean / counts.array().max(1), 0);
}

/// Rows at the top that are bands of a mel spectrum; all of them where there is none.
nn::Index count_spectral_rows(const std::vector<std::string>& rows) {
  const auto end = std::find_if_not(rows.begin(), rows.end(), [](const std::string& name) {
    return name.starts_with("log_mel.") || name.starts_with("mel.");
  });
  return end == rows.begin() ? static_cast<nn::Index>(rows.size()) : end - rows.begin();
}

/// Positions in `clips` of each recording's versions, in the order of their first appearance.
std::vector<std::vector<int>> group_versions(const FeatureTable& table,
                                             const std::vector<int>& clips) {
  std::map<std::pair<std::string, std::string>, std::size_t> groups;
  std::vector<std::vector<int>> versions;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const Utterance& clip = table.clips[static_cast<std::size_t>(clips[i])];
    const auto [group, fresh] = groups.emplace(std::pair(clip.corpus, clip.path), versions.size());
    if (fresh) versions.emplace_back();
    versions[group->second].push_back(static_cast<int>(i));
  }
  return versions;
}

}  // namespace

nn::Index Tasks::kept_outputs() const {
  return static_cast<nn::Index>(emotions.size() + genders.size());
}

Tasks make_tasks(std::vector<std::string> emotions, std::vector<std::string> genders,
                 const FeatureTable& table, const std::vector<int>& clips,
                 const TaskWeights& weights) {
  Tasks tasks;
  nn::Index begin = 0;
  const auto add = [&](std::size_t classes, double weight) {
    tasks.heads.push_back({begin, static_cast<nn::Index>(classes)});
    tasks.weights.push_back(weight);
    begin += static_cast<nn::Index>(classes);
  };
  if (emotions.size() < 2)
    throw Error(fmt::format("training: expected clips of at least two emotions, found {}",
                            emotions.empty() ? "none" : emotions[0]));
  tasks.emotions = std::move(emotions);
  add(tasks.emotions.size(), weights.emotion);
  tasks.genders = std::move(genders);
  if (!tasks.genders.empty()) add(tasks.genders.size(), weights.gender);
  if (weights.intensity > 0) tasks.intensities = intensity_labels(table, clips);
  if (!tasks.intensities.empty()) add(tasks.intensities.size(), weights.intensity);
  return tasks;
}

Dataset make_dataset(const FeatureTable& table, const std::vector<int>& clips, const Scaler& scaler,
                     const Tasks& tasks, const TrainingOptions& options) {
  const auto count = static_cast<nn::Index>(clips.size());
  const auto heads = static_cast<nn::Index>(tasks.heads.size());
  Dataset data;
  data.spectral_rows = count_spectral_rows(table.rows);
  data.targets = nn::Matrix::Zero(tasks.outputs(), count);
  data.weights = nn::Matrix::Zero(heads, count);
  for (nn::Index n = 0; n < count; ++n) {
    const auto clip = static_cast<std::size_t>(clips[static_cast<std::size_t>(n)]);
    const Utterance& utterance = table.clips[clip];
    data.clips.push_back(scaler.apply(table.clip(clip)));
    nn::Index head = 0;
    const auto label = [&](const std::vector<std::string>& names, const std::string& name) {
      if (names.empty()) return;
      const auto h = head++;
      const nn::Index at = position(names, name);
      if (at < 0) return;
      data.targets(tasks.heads[static_cast<std::size_t>(h)].begin + at, n) = 1;
      data.weights(h, n) = static_cast<nn::Real>(tasks.weights[static_cast<std::size_t>(h)]);
    };
    label(tasks.emotions, utterance.emotion);
    if (data.weights(0, n) == 0)
      throw Error(utterance.emotion.empty()
                      ? fmt::format("{}: expected a clip with an emotion, found none; training "
                                    "and scoring need labels",
                                    utterance.path)
                      : fmt::format("{}: its emotion '{}' is not among the classes", utterance.path,
                                    utterance.emotion));
    label(tasks.genders, utterance.gender);
    label(tasks.intensities, utterance.intensity);
  }
  data.versions = group_versions(table, clips);
  if (options.balance_classes) {
    const auto emotions = static_cast<nn::Index>(tasks.emotions.size());
    const Eigen::VectorXd balance = class_weights(data.targets, emotions);
    data.weights.row(0).array() *=
        (balance.cast<nn::Real>().transpose() * data.targets.topRows(emotions)).array();
  }
  return data;
}

}  // namespace ser
