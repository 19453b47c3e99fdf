#include "corpus/internal/clip_groups.h"

#include <algorithm>
#include <map>
#include <set>

#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::size_t kMaxDigits = 9;

const Utterance& at(const std::vector<Utterance>& clips, int index) {
  return clips[static_cast<std::size_t>(index)];
}

}  // namespace

std::optional<int> Speaker::number() const {
  if (id.empty() || id.size() > kMaxDigits || !is_number(id, id.size())) return std::nullopt;
  return parse_int(id, "speaker");
}

std::string Speaker::name(std::size_t num_corpora) const {
  return num_corpora > 1 ? corpus + ":" + id : id;
}

std::vector<Speaker> group_by_speaker(const std::vector<Utterance>& clips,
                                      const std::vector<int>& chosen) {
  std::map<std::pair<std::string, std::string>, Speaker> found;
  for (const int i : chosen) {
    const Utterance& clip = at(clips, i);
    if (clip.speaker.empty()) continue;
    Speaker& speaker = found[{clip.corpus, clip.speaker}];
    speaker.id = clip.speaker;
    speaker.corpus = clip.corpus;
    if (speaker.gender.empty()) speaker.gender = clip.gender;
    speaker.clips.push_back(i);
  }
  std::vector<Speaker> speakers;
  for (auto& [key, speaker] : found) speakers.push_back(std::move(speaker));
  if (std::all_of(speakers.begin(), speakers.end(), [](const Speaker& s) { return s.number(); }))
    std::stable_sort(speakers.begin(), speakers.end(), [](const Speaker& a, const Speaker& b) {
      return std::pair(a.corpus, *a.number()) < std::pair(b.corpus, *b.number());
    });
  return speakers;
}

std::size_t count_corpora(const std::vector<Speaker>& speakers) {
  std::set<std::string> corpora;
  for (const Speaker& speaker : speakers) corpora.insert(speaker.corpus);
  return corpora.size();
}

std::vector<std::vector<int>> deal_by_emotion(const std::vector<Utterance>& clips,
                                              const std::vector<int>& chosen, std::size_t parts,
                                              Rng rng) {
  using Recording = std::pair<std::string, std::string>;  // corpus and path
  std::map<Recording, std::vector<int>> recordings;
  for (const int i : chosen) recordings[{at(clips, i).corpus, at(clips, i).path}].push_back(i);
  std::map<std::string, std::vector<const std::vector<int>*>> by_emotion;
  for (const auto& [recording, members] : recordings)
    by_emotion[at(clips, members.front()).emotion].push_back(&members);

  std::vector<std::vector<int>> dealt(parts);
  std::size_t next = 0;  // runs on from class to class, so that the parts are of one size
  for (auto& [emotion, members] : by_emotion) {
    rng.shuffle(std::span(members));
    for (const std::vector<int>* recording : members) {
      std::vector<int>& part = dealt[next++ % parts];
      part.insert(part.end(), recording->begin(), recording->end());
    }
  }
  for (std::vector<int>& part : dealt) std::sort(part.begin(), part.end());
  return dealt;
}

}  // namespace ser
