#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/internal/fail.h"
#include "model/internal/batch.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/split.h"
#include "ser/features/feature_set.h"
#include "ser/train/trainer.h"

namespace ser {
namespace {

/// A copy at another speed has the pitch and the formants of somebody else.
bool has_own_voice(const Utterance& clip) {
  return clip.augmentation.find("speed:") == std::string::npos;
}

/// Position of `name` in `names`, or -1.
nn::Index position(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

std::vector<std::string> intensity_labels(const FeatureTable& table,
                                          const std::vector<int>& clips) {
  std::set<std::string> names;
  for (const int clip : clips) names.insert(table.clips[clip].intensity);
  names.erase("");
  return names.size() < 2 ? std::vector<std::string>{}
                          : std::vector<std::string>(names.begin(), names.end());
}

/// Weighs clips so that all emotions of a corpus sum alike and their mean weight stays one.
void balance_emotions(Dataset& data, nn::Index emotions) {
  std::map<std::string, std::vector<int>> corpora;
  for (int i = 0; i < static_cast<int>(data.size()); ++i)
    corpora[data.utterance(i).corpus].push_back(i);
  for (const auto& [corpus, clips] : corpora) {
    nn::Vector counts = nn::Vector::Zero(emotions);
    for (const int i : clips) counts += data.targets.col(i).head(emotions);
    const auto present = static_cast<nn::Real>((counts.array() > 0).count());
    const nn::Real mean = counts.sum() / present;
    for (const int i : clips)
      data.weights(0, i) *= mean / counts.dot(data.targets.col(i).head(emotions));
  }
}

/// Rows at the top that are bands of a mel spectrum; all of them where there is none.
nn::Index count_spectral_rows(const std::vector<std::string>& rows) {
  const auto end = std::find_if_not(rows.begin(), rows.end(), [](const std::string& name) {
    return name.starts_with("log_mel.") || name.starts_with("mel.");
  });
  return end == rows.begin() ? static_cast<nn::Index>(rows.size()) : end - rows.begin();
}

std::vector<ClipVersions> group_recordings(const Dataset& data) {
  std::map<std::pair<std::string, std::string>, std::size_t> groups;
  std::vector<ClipVersions> recordings;
  for (int i = 0; i < static_cast<int>(data.size()); ++i) {
    const Utterance& clip = data.utterance(i);
    const auto [group, fresh] = groups.emplace(std::pair(clip.corpus, clip.path), groups.size());
    if (fresh) recordings.push_back({clip.corpus, {}});
    recordings[group->second].versions.push_back(i);
  }
  return recordings;
}

/// Makes `share` of the emotion's target what listeners chose, among the classes that take part.
void mix_in_votes(const Tasks& tasks, const Utterance& clip, double share, nn::Index n,
                  Dataset& data) {
  const nn::HeadRange& head = tasks.heads[0];
  nn::Vector votes = nn::Vector::Zero(head.size);
  for (const auto& [emotion, count] : clip.votes)
    if (const nn::Index at = position(tasks.emotions, emotion); at >= 0)
      votes[at] = static_cast<nn::Real>(count) * data.allowed(at, n);
  if (!(votes.sum() > 0)) return;
  const auto part = static_cast<nn::Real>(share);
  auto target = data.targets.col(n).head(head.size);
  target = (1 - part) * target + part * votes / votes.sum();
}

/// Calls f(head, row) for every label of a clip that a task knows; row is among the logits.
template <typename F>
void for_each_label(const Tasks& tasks, const Utterance& clip, const F& f) {
  std::size_t head = 0;
  for (const auto& [names, label] :
       {std::pair(&tasks.emotions, &clip.emotion), std::pair(&tasks.genders, &clip.gender),
        std::pair(&tasks.intensities, &clip.intensity)}) {
    if (names->empty()) continue;
    const nn::Index at = position(*names, *label);
    if (at >= 0) f(head, tasks.heads[head].begin + at);
    ++head;
  }
}

/// Corpora whose clips all have a gender: in the others it does not count.
std::set<std::string> gendered_corpora(const FeatureTable& table, const std::vector<int>& clips) {
  std::set<std::string> corpora, without;
  for (const int i : clips) {
    const Utterance& clip = table.clips[i];
    const bool known = clip.gender == "male" || clip.gender == "female";
    (known ? corpora : without).insert(clip.corpus);
  }
  for (const std::string& corpus : without) corpora.erase(corpus);
  return corpora;
}

}  // namespace

nn::Index Tasks::kept_outputs() const {
  return static_cast<nn::Index>(emotions.size() + genders.size());
}

Tasks make_tasks(const FeatureTable& table, const std::vector<int>& clips,
                 const TaskWeights& weights) {
  Tasks tasks;
  nn::Index begin = 0;
  const auto add = [&](std::size_t classes, double weight) {
    if (classes == 0) return;
    tasks.heads.push_back({begin, static_cast<nn::Index>(classes)});
    tasks.weights.push_back(weight);
    begin += classes;
  };
  tasks.emotions = emotion_labels(table.clips, clips);
  if (tasks.emotions.size() < 2)
    fail("training: expected clips of at least two emotions, found {}",
         tasks.emotions.empty() ? "none" : tasks.emotions[0]);
  if (tasks.emotions.size() > kMaxClasses)
    fail("training: expected at most {} emotions, found {}", kMaxClasses, tasks.emotions.size());
  tasks.genders = gender_labels(table, clips, weights);
  if (weights.intensity > 0) tasks.intensities = intensity_labels(table, clips);
  add(tasks.emotions.size(), weights.emotion);
  add(tasks.genders.size(), weights.gender);
  add(tasks.intensities.size(), weights.intensity);
  for (const int i : clips) {
    const Utterance& clip = table.clips[i];
    nn::Vector& classes =
        tasks.classes.try_emplace(clip.corpus, nn::Vector::Zero(tasks.outputs())).first->second;
    for_each_label(tasks, clip, [&](nn::Index, nn::Index row) { classes[row] = 1; });
  }
  return tasks;
}

Dataset make_dataset(const FeatureTable& table, const std::vector<int>& clips, const Tasks& tasks,
                     const TrainingOptions& options) {
  const nn::Index count = clips.size();
  Dataset data{table,
               clips,
               nn::Matrix::Zero(tasks.outputs(), count),
               nn::Matrix::Ones(tasks.outputs(), count),
               nn::Matrix::Zero(tasks.heads.size(), count),
               {},
               count_spectral_rows(table.rows)};
  const std::set<std::string> gendered = gendered_corpora(table, clips);
  for (nn::Index n = 0; n < count; ++n) {
    const Utterance& clip = data.utterance(n);
    for_each_label(tasks, clip, [&](nn::Index head, nn::Index row) {
      data.targets(row, n) = 1;
      data.weights(head, n) = static_cast<nn::Real>(tasks.weights[head]);
    });
    if (data.weights(0, n) == 0)
      throw Error(clip.emotion.empty()
                      ? fmt::format("{}: expected a clip with an emotion, found none; training "
                                    "and scoring need labels",
                                    clip.path)
                      : fmt::format("{}: its emotion '{}' is not among the classes", clip.path,
                                    clip.emotion));
    if (!tasks.genders.empty() && !(gendered.contains(clip.corpus) && has_own_voice(clip)))
      data.weights(1, n) = 0;
    const auto classes = tasks.classes.find(clip.corpus);
    if (classes != tasks.classes.end())
      data.allowed.col(n) = classes->second.cwiseMax(data.targets.col(n));
  }
  data.recordings = group_recordings(data);
  if (options.balance_classes) balance_emotions(data, tasks.emotions.size());
  for (nn::Index n = 0; options.listeners > 0 && n < count; ++n)
    mix_in_votes(tasks, data.utterance(n), options.listeners, n, data);
  return data;
}

TrainingData training_data(const FeatureTable& table, const std::vector<int>& clips,
                           const Recipe& recipe, std::uint64_t seed, std::uint64_t stream) {
  TrainingData data{table, clips, {}};
  if (recipe.training.early_stopping.enabled) {
    ValidationSplit split = hold_out_validation(table.clips, clips, seed, stream);
    data.train = std::move(split.train);
    data.validation = std::move(split.validation);
  }
  return data;
}

std::vector<std::string> gender_labels(const FeatureTable& table, const std::vector<int>& clips,
                                       const TaskWeights& weights) {
  const std::set<std::string> gendered = gendered_corpora(table, clips);
  std::set<std::string> genders;
  for (const int i : clips) {
    const Utterance& clip = table.clips[i];
    if (gendered.contains(clip.corpus)) genders.insert(clip.gender);
  }
  return weights.gender > 0 && genders.size() == 2 ? std::vector<std::string>{"male", "female"}
                                                   : std::vector<std::string>{};
}

void check_features(const FeatureSet& found, const Recipe& recipe) {
  if (recipe.features.ends_with(".json")) return;  // beside the recipe, whose place is not known
  const FeatureSet wanted = parse_feature_set(recipe.features);
  if ((wanted.pool == Pooling::kNone) == (found.pool == Pooling::kNone)) return;
  fail("the recipe is made for {} ('{}'), found {}: {}",
       wanted.pool == Pooling::kNone ? "frames" : "one vector a clip", recipe.features,
       found.pool == Pooling::kNone ? "frames" : "one vector a clip", describe(found));
}

nn::Network make_network(const Recipe& recipe, const FeatureTable& table, int outputs) {
  check_features(table.set, recipe);
  const nn::Shape input = input_shape(std::ssize(table.rows), table.set.pool == Pooling::kNone);
  return nn::Network(recipe.network, input, outputs);
}

}  // namespace ser
