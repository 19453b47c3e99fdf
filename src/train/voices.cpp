#include "train/voices.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ser/corpus/speaker.h"

namespace ser {
namespace {

/// A voice of more clips is added up once, not for each clip that hears all the others.
constexpr std::size_t kManyClips = 32;

/// `count` of the items, drawn without putting back.
std::vector<int> draw_some(std::vector<int> items, std::size_t count, Rng& rng) {
  for (std::size_t i = 0; i < count; ++i)
    std::swap(items[i], items[i + rng.below(items.size() - i)]);
  items.resize(count);
  return items;
}

}  // namespace

Voices::Voices(const Dataset& data, const ListeningRecipe& options)
    : data_(data), draws_(options.draws()), group_of_(data.size(), -1) {
  if (!options.enabled) return;
  if (data.table.set.pool == Pooling::kNone) {
    sums_.resize(std::ssize(data.table.rows), data.size());
    for (int i = 0; i < static_cast<int>(data.size()); ++i) {
      HeardFeatures clip;
      data.table.for_each_part(data.place(i), [&](const auto& part) { clip.add(part); });
      sums_.col(i) = clip.sum.cast<float>();
    }
  }
  std::map<std::pair<std::string, std::string>, int> numbers;
  for (int i = 0; i < static_cast<int>(data.size()); ++i) {
    const Utterance& clip = data.utterance(i);
    if (clip.speaker.empty()) continue;
    const auto [found, fresh] = numbers.emplace(std::pair(speaker_name(clip), clip.augmentation),
                                                static_cast<int>(groups_.size()));
    if (fresh) groups_.emplace_back();
    group_of_[i] = found->second;
    groups_[found->second].push_back(i);
  }
  if (std::ranges::max(draws_) > kManyClips) add_up_large_groups();
}

/// In the order of the clips, so that files are read from front to back.
void Voices::add_up_large_groups() {
  totals_.resize(groups_.size());
  for (int i = 0; i < static_cast<int>(data_.size()); ++i) {
    const int group = group_of_[i];
    if (group >= 0 && groups_[group].size() > kManyClips) totals_[group].add(sum(i));
  }
}

HeardFeatures Voices::sum(int clip) const {
  if (sums_.size() == 0) return {data_.features(clip).col(0).cast<double>(), 1, 1};
  return {sums_.col(clip).cast<double>(), static_cast<double>(data_.frames(clip)), 1};
}

HeardFeatures Voices::total_without(std::size_t group, int clip) const {
  const HeardFeatures &all = totals_[group], own = sum(clip);
  return {all.sum - own.sum, all.frames - own.frames, all.clips - 1};
}

HeardFeatures Voices::draw(int clip, Rng rng) const {
  HeardFeatures heard;
  const int group = group_of_[clip];
  if (group < 0) return heard;
  const std::size_t wanted = draws_[rng.below(draws_.size())];
  if (wanted == 0) return heard;
  const std::size_t place = group;
  if (wanted + 1 >= groups_[place].size() && !totals_.empty() && totals_[place].clips > 0)
    return total_without(place, clip);
  std::vector<int> others = groups_[place];
  std::erase(others, clip);
  const std::size_t count = std::min(others.size(), wanted);
  for (const int other : draw_some(std::move(others), count, rng)) heard.add(sum(other));
  return heard;
}

}  // namespace ser
