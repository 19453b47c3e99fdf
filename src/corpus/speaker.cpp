#include "ser/corpus/speaker.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_map>

#include "corpus/internal/clip_groups.h"
#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

// FNV-1a over 32-bit units.
constexpr std::uint64_t kOffset = 0xcbf29ce484222325u, kPrime = 0x100000001b3u;
constexpr float kFullScale = 32768;

/// Clips joined into sets, each led by its first clip.
class Sets {
 public:
  explicit Sets(std::size_t size) : leader_(size) {
    std::iota(leader_.begin(), leader_.end(), std::size_t{0});
  }
  std::size_t leader(std::size_t i) {
    while (leader_[i] != i) i = leader_[i] = leader_[leader_[i]];
    return i;
  }
  void join(std::size_t i, std::size_t j) {
    i = leader(i);
    j = leader(j);
    leader_[std::max(i, j)] = std::min(i, j);
  }

 private:
  std::vector<std::size_t> leader_;
};

/// What clips of one recording have in common, as text: any of these will do.
std::vector<std::string> recording_keys(const Utterance& clip) {
  std::vector<std::string> keys = {"path\n" + clip.corpus + "\n" + clip.path};
  if (!clip.content.empty()) keys.push_back("content\n" + clip.content);
  if (const std::string take = ravdess_take(clip.path); !take.empty())
    keys.push_back("take\n" + take);
  return keys;
}

const Utterance& at(const std::vector<Utterance>& clips, int index) { return clips[index]; }

/// Numbers by value, before all that is text.
std::tuple<const std::string&, int, const std::string&> order(const Speaker& speaker) {
  return {speaker.corpus, speaker.number.value_or(std::numeric_limits<int>::max()), speaker.name};
}

}  // namespace

std::optional<int> speaker_number(std::string_view speaker) {
  constexpr std::size_t kMaxDigits = 9;
  if (const std::size_t point = speaker.find('.'); point != speaker.npos) {
    if (speaker.find_first_not_of('0', point + 1) != speaker.npos) return std::nullopt;
    speaker = speaker.substr(0, point);
  }
  if (speaker.empty() || speaker.size() > kMaxDigits || !is_number(speaker, speaker.size()))
    return std::nullopt;
  return parse_int(speaker, "speaker");
}

std::string canonical_speaker(std::string_view speaker) {
  const std::optional<int> number = speaker_number(speaker);
  return number ? fmt::format("{:02}", *number) : std::string(speaker);
}

std::string speaker_name(const Utterance& clip) {
  if (clip.speaker.empty()) return "";
  const std::string speaker = canonical_speaker(clip.speaker);
  return clip.corpus.empty() ? speaker : fmt::format("{}:{}", clip.corpus, speaker);
}

std::vector<std::string> speaker_names(const std::vector<Utterance>& clips) {
  std::vector<std::string> names(clips.size());
  std::transform(clips.begin(), clips.end(), names.begin(), speaker_name);
  return names;
}

Utterance clip_of_speaker(std::string_view name) {
  Utterance clip;
  const std::size_t colon = name.find(':');
  if (colon != name.npos) clip.corpus = name.substr(0, colon);
  clip.speaker = name.substr(colon == name.npos ? 0 : colon + 1);
  return clip;
}

ContentHash::ContentHash(int sample_rate_hz)
    : state_((kOffset ^ static_cast<std::uint32_t>(sample_rate_hz)) * kPrime) {}

void ContentHash::add(std::span<const float> mono) {
  for (const float sample : mono)
    state_ = (state_ ^ static_cast<std::uint32_t>(std::lrintf(sample * kFullScale))) * kPrime;
}

std::string ContentHash::text() const {
  // The last samples have reached the high bits only: fold those down.
  return fmt::format("{:016x}", (state_ ^ (state_ >> 32)) * kPrime);
}

std::vector<int> recording_numbers(const std::vector<Utterance>& clips) {
  Sets sets(clips.size());
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < clips.size(); ++i)
    for (std::string& key : recording_keys(clips[i]))
      sets.join(i, first.emplace(std::move(key), i).first->second);
  std::vector<int> numbers(clips.size());
  int next = 0;
  for (std::size_t i = 0; i < clips.size(); ++i)
    numbers[i] = sets.leader(i) == i ? next++ : numbers[sets.leader(i)];
  return numbers;
}

std::vector<std::string> contents_of(const std::vector<Utterance>& clips,
                                     const std::vector<int>& chosen) {
  std::set<std::string> contents;
  for (const int clip : chosen) contents.insert(clips[clip].content);
  contents.erase("");
  return {contents.begin(), contents.end()};
}

std::vector<Speaker> group_by_speaker(const std::vector<Utterance>& clips,
                                      const std::vector<int>& chosen) {
  std::map<std::string, Speaker> found;
  for (const int i : chosen) {
    const Utterance& clip = at(clips, i);
    if (clip.speaker.empty()) continue;
    const std::string name = speaker_name(clip);
    Speaker& speaker = found[name];
    speaker.name = name;
    speaker.corpus = clip.corpus;
    speaker.number = speaker_number(clip.speaker);
    if (speaker.gender.empty()) speaker.gender = clip.gender;
    speaker.clips.push_back(i);
  }
  std::vector<Speaker> speakers;
  for (auto& [name, speaker] : found) speakers.push_back(std::move(speaker));
  std::sort(speakers.begin(), speakers.end(),
            [](const Speaker& a, const Speaker& b) { return order(a) < order(b); });
  return speakers;
}

std::vector<std::vector<int>> deal_by_emotion(const std::vector<Utterance>& clips,
                                              const std::vector<int>& chosen, std::size_t parts,
                                              Rng rng) {
  const std::vector<int> numbers = recording_numbers(clips);
  std::map<int, std::vector<int>> by_number;
  for (const int i : chosen) by_number[numbers[i]].push_back(i);
  using Name = std::pair<std::string_view, std::string_view>;  // corpus and path: the first of all
  std::map<Name, const std::vector<int>*> recordings;
  for (const auto& [number, members] : by_number) {
    Name first{at(clips, members.front()).corpus, at(clips, members.front()).path};
    for (const int i : members)
      first = std::min(first, Name{at(clips, i).corpus, at(clips, i).path});
    recordings[first] = &members;
  }
  std::map<std::string, std::vector<const std::vector<int>*>> by_emotion;
  for (const auto& [name, members] : recordings)
    by_emotion[at(clips, members->front()).emotion].push_back(members);

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
