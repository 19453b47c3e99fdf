#include "eval/internal/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "corpus/internal/clip_groups.h"
#include "ser/core/error.h"
#include "ser/corpus/speaker.h"

namespace ser {

double accuracy_of(const Confusion& confusion) {
  const std::int64_t total = confusion.sum();
  return total > 0 ? static_cast<double>(confusion.trace()) / static_cast<double>(total) : 0;
}

double uar_of(const Confusion& confusion) {
  double recalls = 0;
  int classes = 0;
  for (Eigen::Index i = 0; i < confusion.rows(); ++i) {
    const std::int64_t support = confusion.row(i).sum();
    if (support == 0) continue;
    recalls += static_cast<double>(confusion(i, i)) / static_cast<double>(support);
    ++classes;
  }
  return classes > 0 ? recalls / classes : 0;
}

std::vector<std::size_t> true_classes(const std::vector<std::string>& labels,
                                      const std::vector<Prediction>& predictions) {
  std::vector<std::size_t> classes;
  for (const Prediction& p : predictions) {
    const auto label = std::find(labels.begin(), labels.end(), p.emotion);
    if (label == labels.end())
      throw Error(fmt::format("{}: expected an emotion among {}, found '{}'", p.file,
                              fmt::join(labels, ", "), p.emotion));
    if (p.probabilities.size() != labels.size() ||
        (!p.gender_probabilities.empty() && p.gender_probabilities.size() != kGenders.size()))
      throw Error(fmt::format(
          "{}: expected {} probabilities and 2 or none of gender, found {} and {}", p.file,
          labels.size(), p.probabilities.size(), p.gender_probabilities.size()));
    for (const auto* values : {&p.probabilities, &p.gender_probabilities})
      for (const double value : *values)
        if (!(value >= 0 && value <= 1))
          throw Error(fmt::format("{}: expected probabilities in [0, 1], found {}", p.file, value));
    classes.push_back(static_cast<std::size_t>(label - labels.begin()));
  }
  return classes;
}

std::vector<SpeakerClips> clips_by_speaker(const std::vector<Prediction>& predictions) {
  std::vector<Utterance> clips;
  for (const Prediction& p : predictions) clips.push_back(clip_of_speaker(p.speaker));
  std::vector<int> all(clips.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<SpeakerClips> result;
  for (Speaker& speaker : group_by_speaker(clips, all))
    result.push_back({predictions[static_cast<std::size_t>(speaker.clips.front())].speaker,
                      std::move(speaker.clips)});
  return result;
}

std::vector<std::vector<int>> independent_units(const std::vector<Prediction>& predictions) {
  std::vector<std::vector<int>> units;
  for (SpeakerClips& speaker : clips_by_speaker(predictions))
    units.push_back(std::move(speaker.clips));
  for (std::size_t i = 0; i < predictions.size(); ++i)
    if (predictions[i].speaker.empty()) units.push_back({static_cast<int>(i)});
  return units;
}

}  // namespace ser
